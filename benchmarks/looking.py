"""The console's pages over very much: what the server takes for each, what a browser loads, what the process holds."""

import http.client
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import filling
import machine
from embedded import running_server
from filling import Filled
from rows import Row, at_most
from seeing import Seen, site
from stage import PROGRAM, free_port, until

from console.trust.acts import Role

ROUNDS = 40
REPORTS = "/reports"


@dataclass(frozen=True, slots=True)
class Answer:
    """`ms` until all of it was here, `size` bytes as they came: compressed."""

    status: int
    ms: float
    size: int
    html: bytes


@dataclass
class Browser:
    """One that is signed in, keeps its connection open and takes what is compressed."""

    port: int
    cookie: str

    def __post_init__(self) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def get(self, path: str, *, read: bool = False) -> Answer:
        """`read` asks for it as it is, to read in it."""
        headers = {"Cookie": f"tocsin={self.cookie}", "Accept-Encoding": "identity" if read else "gzip"}
        began = time.perf_counter()
        self._line.request("GET", path, headers=headers)
        answer = self._line.getresponse()
        body = answer.read()
        took = (time.perf_counter() - began) * 1_000
        return Answer(answer.status, took, len(body), body if read else b"")


def rows(room: Path) -> Iterator[Row]:
    with running_server(room) as server:
        known = filling.fill(server.url, room)
        yield from measured(server.url, room, known)


def measured(url: str, room: Path, known: Filled, rounds: int = ROUNDS) -> Iterator[Row]:
    cookie = Seen("", site(url, room)).session("bench", Role.ADMIN)
    with running(room) as (_, port):
        browser = Browser(port, cookie)
        what = f"the first look at the reports of a month with {filling.INCIDENTS:,} incidents"
        yield at_most(what, _asked(browser, REPORTS), " ms", 100, 50)
        cold = {path: browser.get(path).ms for path in pages(known)}
    with running(room) as (pid, port):
        browser = Browser(port, cookie)
        browser.get(REPORTS)
        until(lambda: b"being read" not in browser.get(REPORTS, read=True).html, 60)
        warm: dict[str, list[float]] = {}
        worked: dict[str, float] = {}
        for path in pages(known):
            before = machine.processor_s(pid)
            warm[path] = sorted(_asked(browser, path) for _ in range(rounds))
            worked[path] = (machine.processor_s(pid) - before) * 1_000 / rounds
        views = {path: first_view(browser, path) for path in pages(known)}
        yield from _times({path: p95(found) for path, found in warm.items()}, cold)
        yield _work(worked)
        yield _sizes(views)
        whole = f"/reports/files/{known.long}.html"
        took = p95(sorted(_asked(browser, whole) for _ in range(rounds)))
        yield Row("... a long incident's whole report to take along, p95", f"{took:.0f} ms")
        yield at_most(
            "the console's memory after all of it", machine.resident_mb(pid), " MB", 200, 150, _peak(pid)
        )


def _work(worked: Mapping[str, float]) -> Row:
    """What it takes where nobody else wants the cores: the console gives way to others."""
    dearest = sorted(worked, key=lambda path: -worked[path])[:5]
    more = ", ".join(f"{path} {worked[path]:.0f}" for path in dearest)
    return Row(
        "... processor time of the console for one, mean, the dearest",
        f"{worked[dearest[0]]:.0f} ms ({more})",
    )


def _asked(browser: Browser, path: str) -> float:
    answer = browser.get(path)
    assert answer.status == 200, f"{path} {answer.status}"
    return answer.ms


def pages(known: Filled) -> Sequence[str]:
    """Every page one can go to, with what one can ask it for."""
    return (
        "/", "/incidents", "/incidents?status=triggered", "/incidents?status=resolved", "/incidents?severity=SEV-0",
        "/incidents?text=no+such+title", "/incidents?service=no-such-service", "/incidents?after=INC-5000",
        "/incidents?after=INC-3000&text=no+such+title",
        f"/incidents/{known.plain}", f"/incidents/{known.plain}?person=cto", f"/incidents/{known.plain}/silence",
        f"/incidents/{known.long}", f"/incidents/{known.long}?alerts=7&deliveries=100&until=700",
        f"/incidents/{known.long}/silence", f"/incidents/{known.long}/runs/{known.long}-r3",
        f"/incidents/{known.retired}", f"/incidents/{known.long_retired}", f"/incidents/{known.long_retired}?until=300",
        "/dead", "/dead?source=vercel", "/dead?kind=refused&since=1d", "/dead?text=no+such+words",
        "/dead?status=dropped", f"/dead?after={quote(known.letter_mark)}", f"/dead/{known.letter}",
        f"/dead/{known.letter}?as=hex", f"/dead/{known.letter}?edit=1",
        "/dead/preview?do=retry&all=1", "/dead/preview?do=drop&all=1&source=vercel",
        "/oncall", "/oncall?by=person&days=28", "/oncall/calendar.ics", "/oncall/contacts", "/oncall/drills",
        "/oncall/import", "/status-page", "/probes", "/probes/new",
        "/outbox", f"/outbox/{known.unsent}", f"/outbox/{known.unsent_first}",
        "/sources", "/sources?vendor=github", "/sources/stripe", "/sources/alertmanager",
        "/runbooks", "/runbooks/rollback",
        "/policy", "/policy?labels=severity%3DSEV-1%0Aservice%3Dcheckout", f"/policy?event={known.event}",
        f"/policy?event={known.vendor_id}", f"/policy?event={known.long}", "/policy?event=no-such-event",
        "/policy/scenario", "/policy/compare",
        "/reports", "/reports?period=week", "/reports?period=month&zone=Europe/Warsaw",
        f"/reports/{known.plain}", f"/reports/{known.long}", f"/reports/{known.long_retired}",
        "/reports/files/month.md", "/health", "/health/channels", "/health/channels/sms", "/account", "/people",
    )  # fmt: skip


@contextmanager
def running(data: Path, environ: Mapping[str, str] | None = None) -> Iterator[tuple[int, int]]:
    """The real process: its pid, and where it listens."""
    port = free_port()
    told = {"TOCSIN_DATA": str(data), "TOCSIN_CONSOLE_PORT": str(port), **(environ or {})}
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with (data / "console.txt").open("ab") as out:
        process = subprocess.Popen(
            [*PROGRAM, "console"], cwd=data, env={**kept, **told}, stdout=out, stderr=out
        )
    try:
        until(lambda: _is_ready(port), 30, (data / "console.txt").read_text)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(20)


def _is_ready(port: int) -> bool:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("GET", "/readyz")
        return line.getresponse().status == 200
    except OSError:
        return False
    finally:
        line.close()


def first_view(browser: Browser, path: str) -> int:
    """Bytes that a browser which was never here loads for it: the page and all it names of ours, compressed."""
    html = browser.get(path, read=True).html
    named = sorted({each.decode() for each in re.findall(rb'(?:href|src)="(/static/[^"]+)"', html)})
    return browser.get(path).size + sum(browser.get(each).size for each in named)


def _times(warm: Mapping[str, float], cold: Mapping[str, float]) -> Iterator[Row]:
    slowest = sorted(warm, key=lambda path: -warm[path])
    more = ", ".join(f"{path} {warm[path]:.0f}" for path in slowest[:8])
    what = f"the console's slowest page with {_much()}, p95"
    yield at_most(what, warm[slowest[0]], " ms", 100, 50, f"of {len(warm)} pages and searches, in ms: {more}")
    worst = max(cold, key=lambda path: cold[path])
    what = "... each page asked for the first time after a start, p95"
    yield at_most(what, p95(sorted(cold.values())), " ms", 100, 50, f"slowest {worst} {cold[worst]:.0f} ms")


def _sizes(views: Mapping[str, int]) -> Row:
    largest = sorted(views, key=lambda path: -views[path])
    more = ", ".join(f"{path} {views[path] / 1_000:.0f}" for path in largest[:4])
    what = "largest first view, the page and its scripts and styles, compressed"
    return at_most(what, views[largest[0]] / 1_000, " KB", 150, 100, f"{more}; Now {views['/'] / 1_000:.0f}")


def _much() -> str:
    return f"{filling.INCIDENTS:,} incidents, {filling.LETTERS:,} dead letters, {filling.EVENTS:,} archived events"


def _peak(pid: int) -> str:
    status = Path(f"/proc/{pid}/status").read_text()
    most = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)
    return f"at most {most / 1_024:.0f} MB"


def p95(found: Sequence[float]) -> float:
    return found[int(len(found) * 0.95)]
