"""Waiting for what real processes do, and what they are told."""

import time
from collections.abc import Callable, Mapping
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


def bare(environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing of ours from the outside."""
    return {name: value for name, value in environ.items() if not name.startswith("TOCSIN_")}
