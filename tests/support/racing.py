"""Threads that start at the same instant."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def race(task: Callable[[int], T], count: int) -> list[T]:
    """Run `task(0)` to `task(count - 1)` at once; their results in this order, or the first exception."""
    start = threading.Barrier(count)

    def run(number: int) -> T:
        start.wait(timeout=30)
        return task(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))
