"""Load: prepared raw requests sent over keep-alive connections, as fast as possible or at a fixed rate.

The same file of requests and the same generator serve both sides of a comparison. `flood` is a closed loop
for throughput (wrk where installed, else ours). `steady` is an open loop: each request has an instant at
which it is due, and its latency counts from then, so a stall cannot hide the requests it kept waiting.
"""

import json
import select
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from machine import CORES, pin

SCRIPT = Path(__file__).parent / "requests.lua"
HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Load:
    """What a run brought: answers per second, and latencies in ms. `refused`: not answered 2xx."""

    sent: int
    per_s: float
    p50_ms: float
    p99_ms: float
    refused: int = 0
    broken: int = 0

    def sound(self) -> "Load":
        """Itself when every request was taken. Raises RuntimeError otherwise: such a number is void."""
        if self.refused or self.broken or not self.sent:
            raise RuntimeError(f"{self.refused} requests refused and {self.broken} broken of {self.sent}")
        return self


def request(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """One raw HTTP/1.1 request to a loopback server."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + HEAD_END + body


def write_requests(path: Path, requests: Iterable[bytes]) -> None:
    with path.open("wb") as out:
        for one in requests:
            out.write(b"%08d" % len(one))
            out.write(one)


def read_requests(path: Path) -> list[bytes]:
    found, raw, at = [], path.read_bytes(), 0
    while at < len(raw):
        size = int(raw[at : at + 8])
        found.append(raw[at + 8 : at + 8 + size])
        at += 8 + size
    return found


def generator() -> str:
    return "wrk" if shutil.which("wrk") else "own closed loop (wrk is not installed)"


def flood(port: int, requests: Path, connections: int, seconds: float) -> Load:
    """As many requests as the server takes over `connections`, each waiting for its answer."""
    if not shutil.which("wrk"):
        return run(port, read_requests(requests), connections, None, seconds)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"]
    command += ["-s", str(SCRIPT), f"http://127.0.0.1:{port}/", "--", str(requests)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    pin(process.pid, CORES.others)
    output, _ = process.communicate(timeout=seconds + 60)
    line = next(line for line in output.splitlines() if line.startswith("RESULT "))
    found = json.loads(line.removeprefix("RESULT "))
    per_s = found["sent"] / found["seconds"]
    return Load(found["sent"], per_s, found["p50_ms"], found["p99_ms"], found["refused"], found["broken"])


def steady(port: int, requests: list[bytes], connections: int, per_s: float, seconds: float) -> Load:
    """Requests at a fixed rate, whether or not earlier ones were answered."""
    return run(port, requests, connections, per_s, seconds)


def elsewhere(port: int, requests: Path, connections: int, per_s: float | None, seconds: float) -> Load:
    """As `run`, in a process of its own on the others' core."""
    command = [
        sys.executable,
        __file__,
        str(port),
        str(requests),
        str(connections),
        str(per_s or 0),
        str(seconds),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    pin(process.pid, CORES.others)
    output, _ = process.communicate()
    return Load(**json.loads(output))


class Connection:
    """One keep-alive connection with at most one request under way."""

    __slots__ = ("due", "got", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self.got = b""

    def send(self, raw: bytes, due: float) -> None:
        self.due, self.got = due, b""
        self.socket.sendall(raw)

    def receive(self) -> int:
        """The status once the answer is complete, else 0. Raises ConnectionError when it was cut off."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionError("closed by the server")
        self.got += part
        head, found, body = self.got.partition(HEAD_END)
        if not found or len(body) < _length(head):
            return 0
        return int(head[9:12])


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0


def run(port: int, requests: list[bytes], connections: int, per_s: float | None, seconds: float) -> Load:
    """Drive `connections` with one loop. `per_s` None: closed loop."""
    links = {link.socket.fileno(): link for link in (Connection(port) for _ in range(connections))}
    poll = select.poll()
    for number in links:
        poll.register(number, select.POLLIN)
    idle, took, refused, broken = deque(links.values()), [], 0, 0
    began = time.perf_counter()
    ends, at, total = began + seconds, 0, len(requests)
    due = _due(began, per_s)
    while at < total or len(idle) < len(links):
        now = time.perf_counter()
        while idle and at < total and now < ends and (when := due(at, now)) <= now:
            idle.popleft().send(requests[at], when)
            at += 1
        if now >= ends:
            if len(idle) == len(links):
                break
            total = at
        wait = 1.0 if not idle or at >= total else max(0.0, min(due(at, now), ends) - now)
        for number, _ in poll.poll(wait * 1000):
            link = links[number]
            status = link.receive()
            if status:
                took.append(time.perf_counter() - link.due)
                refused += status not in {200, 202}
                idle.append(link)
    elapsed = time.perf_counter() - began
    for link in links.values():
        link.socket.close()
    return Load(len(took), len(took) / elapsed, percentile(took, 50), percentile(took, 99), refused, broken)


def _due(began: float, per_s: float | None) -> Callable[[int, float], float]:
    if per_s is None:
        return lambda _at, now: now
    step = 1 / per_s
    return lambda at, _now: began + at * step


def percentile(seconds: list[float], rank: int) -> float:
    """The rank-th percentile of durations in s, in ms; 0 of none."""
    if len(seconds) < 2:
        return seconds[0] * 1000 if seconds else 0.0
    return statistics.quantiles(seconds, n=100, method="inclusive")[rank - 1] * 1000


def main() -> None:
    port, requests, connections, per_s, seconds = sys.argv[1:]
    found = run(
        int(port), read_requests(Path(requests)), int(connections), float(per_s) or None, float(seconds)
    )
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
