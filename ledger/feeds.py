"""How well the calendars that schedules follow can be read: written by upkeep, read by who tells of it."""

import redis

from ledger import wire
from ledger.keys import Keys
from routing.oncall.importing import FeedHealth
from routing.record import decode, encode


def health(client: redis.Redis, keys: Keys) -> dict[str, FeedHealth]:
    """By schedule. Raises redis.RedisError."""
    found = client.hgetall(keys.feeds).items()
    return {wire.text(name): decode(FeedHealth, raw) for name, raw in found}


def show(client: redis.Redis, keys: Keys, schedule: str, found: FeedHealth) -> None:
    """Raises redis.RedisError."""
    client.hset(keys.feeds, schedule, encode(found))


def forget(client: redis.Redis, keys: Keys, schedule: str) -> None:
    """It follows no calendar any more. Raises redis.RedisError."""
    client.hdel(keys.feeds, schedule)
