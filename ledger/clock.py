"""The clock. The only place that reads it; everywhere else the time is an argument."""

import time
from functools import cache
from pathlib import Path

from ledger.settings import clock_file


def now_ms() -> int:
    """Milliseconds since the Unix epoch, UTC, shifted by the offset file of a rehearsal if there is one."""
    return time.time_ns() // 1_000_000 + _offset_ms()


def _offset_ms() -> int:
    """Read each time, so that a rehearsal moves the time of running processes by replacing the file."""
    path = _offset_file()
    if path is None:
        return 0
    try:
        return int(path.read_text() or 0)
    except (FileNotFoundError, ValueError):
        return 0


@cache
def _offset_file() -> Path | None:
    return clock_file()
