"""A command of ours as a real process, with what it prints: forked as the supervisor's children are, or by itself."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from forked import Process
from working import bare, until


class Running:
    """`printed()` is all it said so far, on both of its outputs."""

    def __init__(self, process: "Process | subprocess.Popen[bytes]", file: Path) -> None:
        self.process = process
        self._file = file

    def printed(self) -> str:
        return self._file.read_text(errors="replace")

    def says(self, what: str, times: int = 1) -> None:
        until(lambda: self.printed().count(what) >= times, 20, f"{what!r} to be said")


@contextmanager
def running(room: Path, url: str, *command: str, **variables: str) -> Iterator[Running]:
    """Its data is in the room; it is asked to end afterwards, and killed when it does not."""
    printed = room / f"{command[0]}.txt"
    printed.write_bytes(b"")
    process = Process("console.main:main", command, _environ(room, url, variables), printed)
    with _ended(process):
        yield Running(process, printed)


@contextmanager
def by_itself(room: Path, url: str, *command: str, **variables: str) -> Iterator[Running]:
    """As `running`, and as a container starts it, which takes longer."""
    printed = room / f"{command[0]}.txt"
    with printed.open("wb") as out:
        program, environ = [sys.executable, "-m", "console.main"], _environ(room, url, variables)
        process = subprocess.Popen([*program, *command], env=environ, stdout=out, stderr=out)
    with _ended(process):
        yield Running(process, printed)


def _environ(room: Path, url: str, variables: Mapping[str, str]) -> dict[str, str]:
    return {
        **bare(os.environ),
        "TOCSIN_REDIS_URL": url,
        "TOCSIN_DATA": str(room),
        **variables,
    }  # a new process


@contextmanager
def _ended(process: "Process | subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        finally:
            process.kill()
