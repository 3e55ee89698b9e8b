"""Ingest: one receiver process on a core of its own, on disk, against a bare route and against Alertmanager."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import all_sources
import load
import machine
import shapes
from redis import Redis
from redis.exceptions import ResponseError
from rows import Row, at_least, at_most, middle
from stage import free_port, until

from ledger import catalogue, policies
from ledger.connection import connect
from ledger.keys import Keys
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings
from workers.database import Database

HERE = Path(__file__).parent
ROUNDS = 3
SECONDS = 5.0
CONNECTIONS = 64
MOST_PER_S = 24_000
"""As many requests are prepared as a server this fast would take."""
REQUEST_BYTES, BATCH_BYTES = 4_000, 120_000
"""What one request, and what is fsynced together, adds to the append-only file."""
SECRETS = {
    "STRIPE_WEBHOOK_SECRET": "whsec_bench", "VERCEL_WEBHOOK_SECRET": "bench", "ALERTMANAGER_TOKEN": "bench",
    "TOCSIN_ALERTS_TOKEN": "bench", "TOCSIN_LINK_SECRET": "bench", all_sources.SECRET: "bench",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Receiver:
    port: int
    pid: int
    client: Redis


@contextmanager
def receiver(room: Path) -> Iterator[Receiver]:
    """`tocsin receiver` with the shipped configuration and forty sources on a database of its own, fsync always.

    Nothing else runs; the database is watched as `tocsin up` does it.
    """
    server = EmbeddedServer(room / "var")
    database = Database(server, lambda _line: None)
    database.start()
    client, port, config = connect(LedgerSettings(data_dir=room / "var")), free_port(), room / "config"
    shutil.copytree(HERE.parent / "config", config)
    (config / "sources.yaml").write_text(all_sources.text())
    environ = {
        "PATH": os.environ["PATH"],  # a new process
        "TOCSIN_DATA": str(room / "var"), "TOCSIN_CONFIG": str(config),
        "TOCSIN_RECEIVER_PORT": str(port), **SECRETS,
    }  # fmt: skip
    policies.settle(client, Keys(), config, environ, catalogue.catalogue(), by="bench")
    with process([sys.executable, "-m", "console.main", "receiver"], port, env=environ) as pid:
        until(lambda: ready(port), 30)
        machine.pin(pid, machine.CORES.server)
        machine.pin(server.pid, machine.CORES.others)
        try:
            yield Receiver(port, pid, client)
        finally:
            client.close()
    database.stop()


@contextmanager
def process(
    command: list[str], port: int, *, env: dict[str, str] | None = None, cwd: Path = HERE.parent
) -> Iterator[int]:
    """A server of which the port answers. Yields its pid."""
    running = subprocess.Popen(
        command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: answers(port), 30)
        yield running.pid
    finally:
        running.terminate()
        running.wait()


def ready(port: int) -> bool:
    """Whether it has a policy: before that every request is refused."""
    with suppress(OSError), urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
        return bool(answer.status == 200)
    return False


def answers(port: int) -> bool:
    try:
        load.Connection(port).socket.close()
    except OSError:
        return False
    return True


def flood(port: int, room: Path, requests: Iterator[bytes]) -> load.Load:
    file = room / "requests.bin"
    load.write_requests(file, requests)
    return load.flood(port, file, CONNECTIONS, SECONDS).sound()


def against(
    ours: int, theirs: int, room: Path, make: Callable[[int], Iterator[bytes]]
) -> tuple[float, float, str]:
    """(ratio, our rate, both in words): medians over rounds in which the two take turns."""
    ratios, our_rates, their_rates, tails = [], [], [], []
    for _ in range(ROUNDS):
        many = int(MOST_PER_S * SECONDS)
        theirs_now = flood(theirs, room, make(many))
        ours_now = flood(ours, room, make(many))
        ratios.append(ours_now.per_s / theirs_now.per_s)
        our_rates.append(ours_now.per_s)
        their_rates.append(theirs_now.per_s)
        tails.append(ours_now.p99_ms)
    rates = f"{middle(our_rates):,.0f}/s : {middle(their_rates):,.0f}/s; p99 {middle(tails):.0f} ms"
    return middle(ratios), middle(our_rates), f"{rates} at full load"


def rows(room: Path) -> Iterator[Row]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "baseline:app", "--port", str(port), "--loop", "uvloop",
               "--http", "httptools", "--no-access-log", "--log-level", "warning"]  # fmt: skip
    with receiver(room) as ours, process(command, port, cwd=HERE) as bare:
        machine.pin(bare, machine.CORES.server)

        def make(many: int) -> Iterator[bytes]:
            return shapes.stripe_requests(SECRETS["STRIPE_WEBHOOK_SECRET"], many)

        ratio, most, words = against(ours.port, port, room, make)
        what = "ingest, fsync always, one process, forty sources, Stripe-signed 3 KB, against a bare route"
        yield at_least(what, ratio, " x", 0.5, 0.7, words)
        yield tail(ours, room, most * 0.7, make)
        yield Row("receiver's memory after it", f"{machine.resident_mb(ours.pid):.0f} MB")


def tail(ours: Receiver, room: Path, per_s: float, make: Callable[[int], Iterator[bytes]]) -> Row:
    """p99 at 70 % of its own maximum, while the append-only file is rewritten; and what of it is the disk."""
    file, seconds = room / "requests.bin", 10.0
    load.write_requests(file, make(int(per_s * seconds)))
    with rewrite(ours.client, seconds / 3):
        found = load.elsewhere(ours.port, file, CONNECTIONS, per_s, seconds).sound()
    with rewrite(ours.client, seconds / 3):
        bare = machine.fsyncs(room, BATCH_BYTES, BATCH_BYTES / (per_s * REQUEST_BYTES), seconds)
    what = f"its p99 at {CONNECTIONS} connections, at 70 % of its own maximum, AOF rewrite included"
    disk = f"p99 {load.percentile(bare, 99):.0f} ms, worst {max(bare) * 1000:.0f} ms"
    words = f"p50 {found.p50_ms:.1f} ms at {found.per_s:,.0f}/s; fdatasync of as much beside a rewrite alone: {disk}"
    return at_most(what, found.p99_ms, " ms", 50, 20, words)


@contextmanager
def rewrite(client: Redis, after_s: float) -> Iterator[None]:
    """One rewrite of the append-only file, which begins after a while. In the end it is over."""

    def begin() -> None:
        with suppress(ResponseError):  # one that began by itself will do
            client.bgrewriteaof()

    timer = threading.Timer(after_s, begin)
    timer.start()
    yield
    timer.join()
    until(lambda: not client.info("persistence")["aof_rewrite_in_progress"], 60)


def alertmanager_rows(room: Path) -> Iterator[Row]:
    """`POST /api/v2/alerts`, one alert a request, on the same core. Alertmanager keeps them in memory."""
    what = "ingest against Prometheus Alertmanager, POST /api/v2/alerts, ours on disk"
    if not shutil.which("prometheus-alertmanager"):
        yield Row(what, "not measured: prometheus-alertmanager is not installed", "0.7 x", "1 x")
        return
    (room / "am.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    port = free_port()
    command = ["prometheus-alertmanager", "--config.file=am.yml", "--storage.path=data",
               f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]  # fmt: skip
    with receiver(room) as ours, process(command, port, cwd=room) as theirs:
        machine.pin(theirs, machine.CORES.server)

        def make(many: int) -> Iterator[bytes]:
            token = SECRETS["TOCSIN_ALERTS_TOKEN"]
            for n in range(many):
                yield shapes.alert_request(shapes.alert("HighLatency", f"i{n}", "search"), token)

        ratio, _, words = against(ours.port, port, room, make)
        yield at_least(what, ratio, " x", 0.7, 1.0, words)
