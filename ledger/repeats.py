"""Requests that may come twice: what was answered to the first is kept, so that the second changes nothing."""

import redis

from ledger import wire
from ledger.keys import Keys
from routing.instant import DAY, MINUTE
from routing.record import Record, decode, encode

KEPT_MS = DAY
_UNDER_WAY_MS = 2 * MINUTE
"""So long a request counts as under way whose process has died."""


class Kept(Record, frozen=True, kw_only=True, omit_defaults=True):
    """`asked` is a digest of the request. `status` 0: it is under way."""

    asked: str
    status: int = 0
    media: str = ""
    body: bytes = b""


def begin(client: redis.Redis, keys: Keys, who: str, key: str, asked: str) -> Kept | None:
    """None when it is the first: carry it out, then `end` or `forget` it. Raises redis.RedisError."""
    place = keys.repeat(who, key)
    if client.set(place, encode(Kept(asked=asked)), nx=True, px=_UNDER_WAY_MS):
        return None
    found = wire.call(client, "GET", place)
    return decode(Kept, found) if found else begin(client, keys, who, key, asked)


def end(client: redis.Redis, keys: Keys, who: str, key: str, kept: Kept) -> None:
    """What was answered, for a day."""
    client.set(keys.repeat(who, key), encode(kept), px=KEPT_MS)


def forget(client: redis.Redis, keys: Keys, who: str, key: str) -> None:
    """Nothing came of it: it may be tried again."""
    client.delete(keys.repeat(who, key))
