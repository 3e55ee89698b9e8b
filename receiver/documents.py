"""What has to be asked for while a request waits: a vendor's certificate, a subscription to be confirmed.

A module says which address, and only after it knows the sender. Here it is made sure that this stays rare: one at
a time, kept while it is young, and what failed is not asked for again for a while.
"""

import asyncio
from collections.abc import Awaitable, Callable

from routing.errors import TocsinError

Fetch = Callable[[str], Awaitable[bytes]]
"""Raises OutOfReach. Follows no redirects, waits a few seconds, reads a few KB."""

_KEPT = 32
_YOUNG_MS = 3_600_000
_FAILED_MS = 30_000
_WAITING = 8


class OutOfReach(TocsinError):
    """Nobody answered, or with something else than 200, or it was asked for too often."""


class Documents:
    """`now` gives ms since the epoch."""

    def __init__(self, fetch: Fetch, now: Callable[[], int]) -> None:
        self._fetch = fetch
        self._now = now
        self._kept: dict[str, tuple[int, bytes | None]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0

    async def get(self, address: str) -> bytes:
        """Raises OutOfReach."""
        if self._waiting >= _WAITING:
            raise OutOfReach("too many wait for documents already")
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                return await self._get(address)
        finally:
            self._waiting -= 1

    async def _get(self, address: str) -> bytes:
        at, held = self._kept.get(address, (0, None))
        age_ms = self._now() - at
        if held is not None and age_ms < _YOUNG_MS:
            return held
        if at and held is None and age_ms < _FAILED_MS:
            raise OutOfReach("it could not be had a moment ago")
        self._kept.pop(address, None)
        while len(self._kept) >= _KEPT:
            self._kept.pop(next(iter(self._kept)))
        try:
            found = await self._fetch(address)
        except OutOfReach:
            self._kept[address] = (self._now(), None)
            raise
        self._kept[address] = (self._now(), found)
        return found
