"""What changed, from the log's own position: one reader a process, and whoever looks on is told."""

import asyncio
import contextlib
import math
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from ledger import following
from ledger.keys import Keys

_log = structlog.get_logger(__name__)

NOW, DEAD, OUTBOX = "now", "dead", "outbox"
"""Topics beside incidents, which are topics by their ids."""
WAIT_MS = 1_000
QUIET_S = 15.0
"""So long without news, and a sign of life is sent: proxies close what is silent."""
EACH_S = 0.08
"""In a storm, so much longer between news for each who looks on: fifty people cost no more than a few."""
_EARLY = 0.05
"""Who was told a little late is told again on time: by this share of the pause."""
_LOOK_S = 0.15
"""In a storm, commits are looked at this often."""
_AGAIN_S = 1.0
_REMEMBERED = 20_000


@dataclass
class Watch:
    """`ready` while the log is followed; not while the database does not answer."""

    keys: Keys
    client: redis.asyncio.Redis
    ready: bool = False
    closed: bool = False
    _at: str = ""
    """How far commits were looked at."""
    _epoch: str = ""
    _turn: int = 0
    _changed: dict[str, int] = field(default_factory=dict)
    """Topic -> the turn in which it changed last."""
    _counted: tuple[int, ...] = ()
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _lookers: int = 0

    @property
    def version(self) -> str:
        """What a page that is made now has seen. Changes after it are told to whoever names it."""
        return f"{self._epoch}-{self._turn}"

    async def run(self) -> None:
        """Until cancelled. A database that does not answer is asked again, and everything read anew."""
        while not self.closed:
            try:
                await self._begin()
                while not self.closed:
                    await self._look()
            except (RedisError, OSError) as error:
                self.ready = False
                _log.warning("live updates wait for the database", error=type(error).__name__)
                await asyncio.sleep(_AGAIN_S)

    def close(self) -> None:
        """Everybody who looks on is let go."""
        self.closed = True
        self._ring()

    async def changes(self, topics: Iterable[str], since: str, pause_s: float) -> AsyncIterator[str]:
        """The version, each time one of the topics has changed since, at most every `pause_s`; "" shows life."""
        wanted = tuple(topics)
        self._lookers += 1  # who looks on for one page has one stream
        try:
            while not self.closed:
                bell = self._bell
                if self.ready and self._has_changed(wanted, since):
                    since = self.version
                    yield since
                    await self._pause(self.pause_s(pause_s))
                elif not await _rings(bell, QUIET_S):
                    yield ""
        finally:
            self._lookers -= 1

    def changed(self, topics: Iterable[str], since: str) -> list[str] | None:
        """Which of them have changed since that version; None where that is not known, so that any may have."""
        epoch, _, turn = since.partition("-")
        if epoch != self._epoch or not (turn.isascii() and turn.isdigit()):
            return None
        return [topic for topic in topics if self._changed.get(topic, 0) > int(turn)]

    def pause_s(self, least_s: float) -> float:
        """How long whoever was told waits for more, with so many others who look on: doubled until it is enough."""
        while least_s < EACH_S * self._lookers:
            least_s *= 2
        return least_s

    async def _pause(self, pause_s: float) -> None:
        clock = asyncio.get_running_loop().time
        ends = next_turn(clock(), pause_s)
        while not self.closed and (left := ends - clock()) > 0:
            await _rings(self._bell, left)

    def _has_changed(self, topics: tuple[str, ...], since: str) -> bool:
        """Who names a version of another process has missed nobody knows what: it costs one look."""
        changed = self.changed(topics, since)
        return changed is None or bool(changed)

    async def _begin(self) -> None:
        """From the last commit on. What came before is taken for changed by everybody who comes back."""
        self._at = await following.last(self.client, self.keys)
        self._changed = {}
        self._epoch, self._turn = secrets.token_hex(4), 1
        self._counted = await following.counts(self.client, self.keys)
        self.ready = True
        self._ring()

    async def _look(self) -> None:
        seen = await following.changes(self.client, self.keys, self._at, WAIT_MS)
        counted = await following.counts(self.client, self.keys)
        beside = {DEAD, OUTBOX, NOW} if counted != self._counted else set()
        self._counted = counted
        if seen is not None:
            self._at, touched = seen
            self._mark(beside | touched | {NOW})
            await asyncio.sleep(_LOOK_S)
        elif beside:
            self._mark(beside)

    def _mark(self, topics: Iterable[str]) -> None:
        self._turn += 1
        self._changed.update(dict.fromkeys(topics, self._turn))
        if len(self._changed) > _REMEMBERED:
            self._changed = {}
            self._epoch = secrets.token_hex(4)  # everybody looks once more
        self._ring()

    def _ring(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()


def next_turn(now: float, pause_s: float) -> float:
    """When whoever was told now is told again: an instant that all have in common who pause so long.

    They look together then, which costs one look.
    """
    return math.ceil((now + (1 - _EARLY) * pause_s) / pause_s) * pause_s


async def _rings(bell: asyncio.Event, within_s: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(bell.wait(), within_s)
        return True
    return False
