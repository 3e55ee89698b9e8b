"""How far mailboxes were read in which reports of failure arrive: written and read by upkeep."""

import redis

from ledger.keys import Keys
from routing.record import Record, decode, encode


class Place(Record, frozen=True, kw_only=True):
    """All mails up to this UID were read. UIDs hold within one `validity` (RFC 3501 section 2.3.1.1)."""

    validity: int
    uid: int


def place(client: redis.Redis, keys: Keys, channel: str) -> Place | None:
    """Raises redis.RedisError."""
    raw = client.hget(keys.mailboxes, channel)
    return decode(Place, raw) if isinstance(raw, bytes) else None


def move(client: redis.Redis, keys: Keys, channel: str, to: Place) -> None:
    """Raises redis.RedisError."""
    client.hset(keys.mailboxes, channel, encode(to))
