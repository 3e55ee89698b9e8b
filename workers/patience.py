"""A time limit for pure code: what computes for too long is interrupted, so that nothing waits for it.

Only for code without I/O: an interrupted reply would leave a connection in the middle of an answer.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TooSlow(Exception):
    """The code did not end in time."""


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Raises TooSlow in the body after `seconds`. An alarm set before (RQ's) goes on afterwards."""

    def interrupt(_signum: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"did not end within {seconds:g} s")

    handler = signal.signal(signal.SIGALRM, interrupt)
    began = time.monotonic()
    outer, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if outer:
            signal.setitimer(signal.ITIMER_REAL, max(outer - (time.monotonic() - began), 0.001))
