"""One supervisor per data directory: a lock that dies with its holder, and says who that is."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from routing.errors import TocsinError
from routing.instant import iso

LOCK: Final = "tocsin.lock"


class AlreadyRunning(TocsinError):  # reads as what happened
    """Another supervisor holds the data directory."""


@contextmanager
def only_instance(data_dir: Path, now: int) -> Iterator[None]:
    """Hold the data directory. `now` (ms) is told to whoever comes second. Raises AlreadyRunning."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = data_dir / LOCK
    # Opened for appending: a second start must not wipe what the first one wrote.
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise AlreadyRunning(
                f"Tocsin already runs on {data_dir.resolve()} ({holder}). Stop it with Ctrl-C where it runs, "
                "or give this one another directory with TOCSIN_DATA"
            ) from error
        file.truncate(0)
        file.write(f"pid {os.getpid()}, since {iso(now)}\n")
        file.flush()
        yield
