"""People who look on: each has a page open, hears what changes, and looks again as its script would.

`python viewers.py PORT COOKIE PATH TOPIC ...` runs one viewer for each three until its input ends, and prints what they
saw as JSON: looks, failures, and the ms each look took.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from machine import CORES, pin

_SINCE = re.compile(rb'data-since="([^"]*)"')


@dataclass
class Looks:
    """`told` counts how often anybody was told of a change."""

    took: list[float] = field(default_factory=list)
    told: int = 0
    failed: int = 0


class Crowd:
    """Viewers in a process of its own; `leave()` ends them and tells what they saw."""

    def __init__(self, port: int, watched: Sequence[tuple[str, str, str]]) -> None:
        """Each by their session's cookie, the page they have open, and its topic."""
        command = [sys.executable, __file__, str(port), *(part for each in watched for part in each)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        pin(self._process.pid, CORES.others)

    def leave(self) -> Looks:
        output, _ = self._process.communicate("", timeout=60)
        return Looks(**json.loads(output))


async def _watch(port: int, cookie: str, path: str, topic: str, seen: Looks) -> None:
    while True:
        try:
            since = await _look(port, cookie, path, seen, read=True)
            await _listen(port, cookie, path, topic, since, seen)
        except (OSError, asyncio.IncompleteReadError):
            seen.failed += 1
            await asyncio.sleep(1)


async def _listen(port: int, cookie: str, path: str, topic: str, since: str, seen: Looks) -> None:
    reader, writer = await _asked(port, cookie, f"/live?topic={topic}&since={since}", "identity")
    try:
        while line := await reader.readline():
            if line.startswith(b"event: changed"):
                seen.told += 1
                await _look(port, cookie, path, seen)
    finally:
        writer.close()


async def _look(port: int, cookie: str, path: str, seen: Looks, *, read: bool = False) -> str:
    clock = asyncio.get_running_loop().time
    began = clock()
    reader, writer = await _asked(port, cookie, path, "identity" if read else "gzip", close=True)
    answer = await reader.read()
    writer.close()
    seen.took.append((clock() - began) * 1_000)
    seen.failed += not answer.startswith(b"HTTP/1.1 200")
    found = _SINCE.search(answer)
    return found[1].decode() if found else ""


async def _asked(
    port: int, cookie: str, path: str, coding: str, *, close: bool = False
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4_000_000)
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        f"Cookie: tocsin={cookie}",
        f"Accept-Encoding: {coding}",
    ]
    lines += ["Connection: close"] if close else []
    writer.write("\r\n".join([*lines, "", ""]).encode())
    await writer.drain()
    return reader, writer


async def _all(port: int, watched: Sequence[str]) -> Looks:
    seen = Looks()
    each_of_them = zip(watched[::3], watched[1::3], watched[2::3], strict=True)
    tasks = [asyncio.create_task(_watch(port, *each, seen)) for each in each_of_them]
    await asyncio.to_thread(sys.stdin.read)
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return seen


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_all(int(sys.argv[1]), sys.argv[2:])))))
