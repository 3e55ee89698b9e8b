"""A command of ours as a real process, with what it prints."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from working import bare, until


class Running:
    """`printed()` is all it said so far, on both of its outputs."""

    def __init__(self, process: "subprocess.Popen[bytes]", file: Path) -> None:
        self.process = process
        self._file = file

    def printed(self) -> str:
        return self._file.read_text(errors="replace")

    def says(self, what: str, times: int = 1) -> None:
        until(lambda: self.printed().count(what) >= times, 20, f"{what!r} to be said")


@contextmanager
def running(room: Path, url: str, *command: str, **variables: str) -> Iterator[Running]:
    """Its data is in the room; it is asked to end afterwards, and killed when it does not."""
    environ = {**bare(os.environ), "TOCSIN_REDIS_URL": url, "TOCSIN_DATA": str(room), **variables}
    printed = room / f"{command[0]}.txt"
    with printed.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "console.main", *command], env=environ, stdout=out, stderr=out
        )
    try:
        yield Running(process, printed)
    finally:
        process.terminate()
        try:
            process.wait(10)
        finally:
            process.kill()
