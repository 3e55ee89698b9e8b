"""One live record at a time, as the last decision left it."""

from typing import TypeVar

import redis
import redis.asyncio

from routing.record import Record, decode

R = TypeVar("R", bound=Record)


def read(client: redis.Redis, place: str, key: str, kind: type[R]) -> R | None:
    """Of a table (`Keys.state`, `Keys.owned`); None where it has none: it never had, or that has retired."""
    raw = client.hget(place, key)
    return decode(kind, raw) if isinstance(raw, bytes) else None


async def read_soon(client: redis.asyncio.Redis, place: str, key: str, kind: type[R]) -> R | None:
    """The same, for those who must not wait. Raises redis.RedisError."""
    raw = await client.hget(place, key)
    return decode(kind, raw) if isinstance(raw, bytes) else None
