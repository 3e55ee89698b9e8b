"""What we missed: how vendors were last asked for it, and where that goes on. Written by upkeep, read by who tells."""

from collections.abc import Mapping

import redis

from ledger import wire
from ledger.keys import Keys
from routing.record import Record, decode, encode


class Gap(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Of one source; instants in ms. What was until `since_at` is known; a look under way goes from `from_at` to
    `until_at`, and is at `after`.
    """

    looked_at: int = 0
    """When its vendor was last asked, whatever came of it."""
    since_at: int = 0
    from_at: int = 0
    until_at: int = 0
    after: str = ""
    next_at: int = 0
    found: int = 0
    """How many events came to us only so."""
    found_at: int = 0
    refused: int = 0
    """How many our own receiver would not keep: too large."""
    missed: int = 0
    """Found since the look under way began."""
    failures: int = 0
    """In a row."""
    failing_since: int = 0
    reason: str = ""
    off: str = ""
    """Why its vendor is not asked at all; "" when it is."""
    troubles: Mapping[str, str] = {}
    """What was said to be wrong with the vendor's way to us, by what it is about."""


def all_of(client: redis.Redis, keys: Keys) -> dict[str, Gap]:
    """By source. Raises redis.RedisError."""
    found = client.hgetall(keys.gaps).items()
    return {wire.text(source): decode(Gap, raw) for source, raw in found}


def of(client: redis.Redis, keys: Keys, source: str) -> Gap:
    """Raises redis.RedisError."""
    raw = client.hget(keys.gaps, source)
    return decode(Gap, raw) if isinstance(raw, bytes) else Gap()


def keep(client: redis.Redis, keys: Keys, source: str, gap: Gap) -> None:
    """Raises redis.RedisError."""
    client.hset(keys.gaps, source, encode(gap))


def forget(client: redis.Redis, keys: Keys, source: str) -> None:
    """Its vendor is asked no more. Raises redis.RedisError."""
    client.hdel(keys.gaps, source)


def want(client: redis.Redis, keys: Keys, source: str, now: int) -> None:
    """Have its vendor asked as soon as can be. Raises redis.RedisError."""
    client.hset(keys.gaps_wanted, source, now)


def wanted(client: redis.Redis, keys: Keys) -> frozenset[str]:
    """Raises redis.RedisError."""
    return frozenset(wire.text(source) for source in client.hkeys(keys.gaps_wanted))


def begun(client: redis.Redis, keys: Keys, source: str) -> None:
    """What was wanted is being done. Raises redis.RedisError."""
    client.hdel(keys.gaps_wanted, source)
