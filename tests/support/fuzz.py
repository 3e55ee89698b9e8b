"""`make fuzz`: a receiver as it is run, every vendor configured, and a million requests that nobody sends in good faith.

Each must be answered in good order and soon, and the process must not grow. `python tests/support/fuzz.py 20000 7` sends
so many, made of that seed.
"""

import asyncio
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import all_sources
import stage
from fuzz_inputs import OPERATOR, PUBLIC, Input, Maker
from redis import Redis
from senders import SECRET

from ledger import catalogue, policies
from ledger.clock import now_ms
from ledger.connection import connect
from ledger.keys import Keys
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings

CONNECTIONS = 24
SLOW_S = 1.0
PATIENCE_S = 30.0
WARM = 0.2
"""Part of the inputs after which the process has grown as large as it gets."""
MOST_GROWN_MB = 48
MOST_TOLD = 50
SWEEP = 20_000
"""Inputs after which the database is looked through, and emptied."""
GOOD = frozenset({200, 202, 204, 308, 400, 401, 403, 404, 405, 408, 413, 422, 431})
VARIABLES = (
    all_sources.SECRET, "STRIPE_WEBHOOK_SECRET", "VERCEL_WEBHOOK_SECRET", "ALERTMANAGER_TOKEN", "TOCSIN_ALERTS_TOKEN",
    "TOCSIN_LINK_SECRET", "TOCSIN_PROVIDER_SECRET", *catalogue.callback_secrets(),
)  # fmt: skip


@dataclass
class Found:
    """What came of it. `faults`: what may not be, with the input that shows it."""

    sent: int = 0
    slowest_s: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slow: list[Input] = field(default_factory=list)
    warm_mb: float = 0.0
    end_mb: float = 0.0

    def fault(self, what: str, one: Input | None = None) -> None:
        if len(self.faults) < MOST_TOLD:
            self.faults.append(f"{what}: {one.kind} {one.raw[:3000]!r}" if one else what)
            tell(self.faults[-1])


@dataclass(frozen=True)
class Target:
    port: int
    pid: int
    client: Redis
    errors: Path

    @property
    def resident_mb(self) -> float:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


@contextmanager
def receiver(room: Path) -> Iterator[Target]:
    """`tocsin receiver` on a database of its own; nothing else."""
    running = stage.Stage(
        room, {**dict.fromkeys(VARIABLES, SECRET), "TOCSIN_OPERATOR_TOKEN": OPERATOR, "TOCSIN_PUBLIC_URL": PUBLIC},
        {"sources.yaml": all_sources.text()},
    )  # fmt: skip
    errors = room / "receiver.txt"
    server = EmbeddedServer(running.data_dir)
    server.start()
    try:
        with connect(LedgerSettings(data_dir=running.data_dir)) as client, errors.open("wb") as out:
            policies.settle(
                client, Keys(), running.config_dir, running.environ, catalogue.catalogue(), by="fuzz"
            )
            command = [*stage.PROGRAM, "receiver"]
            process = subprocess.Popen(command, cwd=room, env=running.environ, stdout=out, stderr=out)
            try:
                stage.until(lambda: _answers(running.port), 60, errors.read_text)
                yield Target(running.port, process.pid, client, errors)
            finally:
                process.terminate()
                process.wait(30)
    finally:
        server.stop()


def _answers(port: int) -> bool:
    async def ask() -> int:
        link = _Link(port)
        try:
            return (await link.exchange(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n"))[0]
        finally:
            await link.close()

    with suppress(OSError, EOFError):
        return asyncio.run(ask()) == 200  # HTTP
    return False


class _Link:
    """A connection that is kept, and made anew where it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, raw: bytes, *, bodyless: bool = False) -> tuple[int, dict[str, str]]:
        """Status and headers. Raises OSError or EOFError when it is closed without an answer."""
        if self._ends is None or self._ends[0].at_eof():
            self._ends = await asyncio.open_connection("127.0.0.1", self._port, limit=4_000_000)
        reader, writer = self._ends
        try:
            writer.write(raw)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
            if not bodyless:
                await reader.readexactly(int(headers.get("content-length", "0")))
        except (OSError, EOFError):
            await self.close()
            raise
        if headers.get("connection") == "close":
            await self.close()
        return int(head[0].split()[1]), headers

    async def close(self) -> None:
        if self._ends is not None:
            self._ends[1].close()
            with suppress(OSError):
                await self._ends[1].wait_closed()
        self._ends = None


async def flood(target: Target, maker: Maker, many: int, found: Found) -> None:
    """So many more, over all connections."""
    inputs, left = maker.all(), many

    async def one_after_another() -> None:
        nonlocal left
        link = _Link(target.port)
        while left > 0:
            left -= 1
            await try_one(link, next(inputs), found)
        await link.close()

    await asyncio.gather(*(one_after_another() for _ in range(CONNECTIONS)))


async def try_one(link: _Link, one: Input, found: Found) -> float:
    """Seconds it took."""
    began = time.perf_counter()
    status = 0
    headers: dict[str, str] = {}
    try:
        async with asyncio.timeout(PATIENCE_S):
            status, headers = await link.exchange(one.raw, bodyless=one.raw.startswith(b"HEAD "))
    except TimeoutError:  # of a machine without a moment for us, or of what is tried alone again
        await link.close()
    except (OSError, EOFError):
        if not one.closes:
            found.fault("closed without an answer", one)
    took = time.perf_counter() - began
    found.sent += 1
    found.statuses[status] += 1
    if one.closes:
        await link.close()
    elif status and status not in GOOD:
        found.fault(f"answered {status} {headers.get('retry-after', '')}", one)
    if not (one.closes or one.waits):
        found.slowest_s = max(found.slowest_s, took)
        if took > SLOW_S and len(found.slow) < 1000:
            found.slow.append(one)
    return took


async def judge_slow(target: Target, found: Found) -> None:
    """What was slow amid the others is tried alone: who waits for a busy machine is not to blame."""
    slow, found.slow = found.slow, []
    for one in slow:
        link = _Link(target.port)
        tries = [await try_one(link, one, Found()) for _ in range(3)]
        await link.close()
        if min(tries) > SLOW_S:
            found.fault(f"took {min(tries):.1f} s alone", one)


def sweep(target: Target, found: Found) -> None:
    """Faults of ours that were answered in good order; then all of it is forgotten, the configuration apart."""
    keys = Keys()
    for name, raw in target.client.hscan_iter(keys.dead, count=500):
        if b"our parser failed" in raw:
            found.fault(f"a parser failed: {name!r} {bytes(raw)[:3000]!r}")
    said = target.errors.read_text(errors="replace")
    if any(each in said for each in ("Traceback", "fault in an ingest route", SECRET, OPERATOR)):
        found.fault(f"the receiver said: {said[-6000:]}")
    gone = [keys.dead, keys.dead_index, keys.dead_waiting, keys.dead_seen, keys.raw]
    target.client.delete(*gone, *(keys.log(lane) for lane in ("control", "urgent", "bulk")))
    for key in target.client.scan_iter(match=keys.seen("*", "*"), count=5000):
        target.client.unlink(key)


def run(room: Path, many: int, seed: int) -> Found:
    found, maker = Found(), Maker(seed, now_ms)
    with receiver(room) as target:
        while found.sent < many:
            asyncio.run(flood(target, maker, min(SWEEP, many - found.sent), found))
            asyncio.run(judge_slow(target, found))
            sweep(target, found)
            if not found.warm_mb and found.sent >= many * WARM:
                found.warm_mb = target.resident_mb
            say(found, target)
        found.end_mb = target.resident_mb
    if found.end_mb - found.warm_mb > MOST_GROWN_MB:
        found.fault(f"it grew from {found.warm_mb:.0f} to {found.end_mb:.0f} MB")
    return found


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say(found: Found, target: Target) -> None:
    statuses = ", ".join(f"{status or 'closed'}: {times}" for status, times in sorted(found.statuses.items()))
    tell(
        f"{found.sent:,} inputs; {statuses}; slowest {found.slowest_s * 1000:.0f} ms; {target.resident_mb:.0f} MB; "
        f"{len(found.faults)} faults"
    )


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what it started ends with it
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else now_ms()
    tell(f"seed {seed}")
    with tempfile.TemporaryDirectory(prefix="tocsin-fuzz-") as folder:
        found = run(Path(folder), many, seed)
    tell(
        f"{found.sent:,} inputs, {len(found.faults)} faults; {found.warm_mb:.0f} MB once warm, {found.end_mb:.0f} MB at the end"
    )
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
