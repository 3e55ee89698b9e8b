"""A status page in a folder, for whatever serves files: each document is whole at every instant."""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

Make = Callable[[], Mapping[str, bytes]]
"""File name -> content, as it is now."""


def write(folder: Path, make: Make) -> None:
    """Of several at once the last to begin has the last word, for each makes its documents only when it is its turn.
    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _turn(folder):
        for name, content in make().items():
            _replace(folder / name, content)


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _replace(file: Path, content: bytes) -> None:
    """Nobody ever reads half of it, and what is there after a power cut is one of the two."""
    beside = file.with_name(f".{file.name}.new")
    with beside.open("wb") as new:
        new.write(content)
        new.flush()
        os.fsync(new.fileno())
    beside.chmod(0o644)  # everybody may read it
    beside.replace(file)
