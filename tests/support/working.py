"""Real worker processes for tests, and waiting for what they do."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

Found = TypeVar("Found")


def until(look: Callable[[], Found], deadline_s: float = 10.0, what: str = "") -> Found:
    """Look again and again until something is found. Fails at the deadline, saying what was waited for."""
    ends = time.monotonic() + deadline_s
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < ends, f"waited {deadline_s:g} s in vain for {what or 'it'}; saw {found!r}"
        time.sleep(0.01)


@contextmanager
def process(target: str, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A child as the supervisor starts it, killed at the end if it still runs."""
    child = subprocess.Popen(
        [sys.executable, "-m", "workers.child", target, *arguments],
        env={**bare(os.environ), **variables},  # a new process
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def bare(environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing of ours from the outside."""
    return {name: value for name, value in environ.items() if not name.startswith("TOCSIN_")}
