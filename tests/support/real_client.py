"""Servers of the distribution that talk to us as their users run them: started, logged, stopped."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STOP_S = 10.0


def installed(name: str) -> bool:
    return shutil.which(name) is not None


@contextmanager
def running(room: Path, *command: str) -> Iterator["subprocess.Popen[bytes]"]:
    """The process, working in `room` and writing to `<room>/log.txt`; stopped afterwards."""
    with (room / "log.txt").open("ab") as log:
        process = subprocess.Popen(command, cwd=room, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
