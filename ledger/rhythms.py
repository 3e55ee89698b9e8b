"""When each source was heard, in slots of five minutes, and when we were there to hear it; and which are quiet now."""

from collections.abc import Iterable, Iterator

import redis
from redis.asyncio.client import Pipeline as AsyncPipeline
from redis.client import Pipeline

from ledger import wire
from ledger.keys import Keys
from routing.instant import DAY
from routing.record import Record, decode, encode
from routing.rhythm import DAYS, SLOT_MS, Heard

OURSELVES = "-"
"""As a source: that somebody listened."""
KEPT_S = (DAYS + 1) * DAY // 1000
_SLOTS = DAY // SLOT_MS


class Silent(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A source that has gone quiet; instants in ms."""

    since_at: int
    said_at: int
    why: str


def mark(pipe: Pipeline | AsyncPipeline, keys: Keys, source: str, at: int) -> None:
    """Queue that something of it came at `at` (ms); again is the same."""
    key = keys.heard(source, at // DAY)
    pipe.setbit(key, at % DAY // SLOT_MS, 1)
    pipe.expire(key, KEPT_S)


class Rhythms:
    """Reads what was heard; days that are over are remembered, for nothing of them changes any more."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._over: dict[tuple[str, int], int] = {}

    def heard(self, sources: Iterable[str], now: int) -> dict[str, Heard]:
        """By source. Raises redis.RedisError."""
        today = now // DAY
        days = range(today - DAYS + 1, today + 1)
        names = list(sources)
        self._over = {
            place: bits for place, bits in self._over.items() if place[0] in names and place[1] in days
        }
        wanted = [(name, day) for name in names for day in days if (name, day) not in self._over]
        found = dict(zip(wanted, self._read(wanted), strict=True))
        # Yesterday too may still be written to by a receiver that is behind.
        self._over |= {place: bits for place, bits in found.items() if place[1] < today - 1}
        return {
            name: Heard(
                days[0] * _SLOTS,
                sum((found.get((name, day)) or self._over.get((name, day), 0)) << index * _SLOTS
                    for index, day in enumerate(days)),
            )
            for name in names
        }  # fmt: skip

    def _read(self, places: list[tuple[str, int]]) -> Iterator[int]:
        if not places:
            return
        for raw in self._client.mget([self._keys.heard(name, day) for name, day in places]):
            yield _bits(raw) if isinstance(raw, bytes) else 0


def _bits(raw: bytes) -> int:
    """Redis' first bit is the highest of the first byte; ours is the lowest."""
    padded = raw.ljust(_SLOTS // 8, b"\0")
    return int(format(int.from_bytes(padded, "big"), f"0{_SLOTS}b")[::-1], 2)


def quiet(client: redis.Redis, keys: Keys) -> dict[str, Silent]:
    """By source. Raises redis.RedisError."""
    return {wire.text(name): decode(Silent, raw) for name, raw in client.hgetall(keys.quiet).items()}


def fell_silent(client: redis.Redis, keys: Keys, source: str, silent: Silent) -> None:
    """Raises redis.RedisError."""
    client.hset(keys.quiet, source, encode(silent))


def spoke(client: redis.Redis, keys: Keys, source: str) -> None:
    """It is quiet no more. Raises redis.RedisError."""
    client.hdel(keys.quiet, source)
