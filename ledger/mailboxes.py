"""How far mailboxes were read in which reports of failure arrive, and whether they can be: written by upkeep."""

import redis

from ledger import wire
from ledger.keys import Keys
from routing.record import Record, decode, encode


class Reading(Record, frozen=True, kw_only=True, omit_defaults=True):
    """All mails up to this UID were read; UIDs hold within one `validity` (RFC 3501 section 2.3.1.1), 0: none yet."""

    validity: int = 0
    uid: int = 0
    failing_since: int = 0
    """Since when (ms) it cannot be read; 0: it can."""
    reason: str = ""


def all_of(client: redis.Redis, keys: Keys) -> dict[str, Reading]:
    """By channel. Raises redis.RedisError."""
    found = client.hgetall(keys.mailboxes).items()
    return {wire.text(channel): decode(Reading, raw) for channel, raw in found}


def of(client: redis.Redis, keys: Keys, channel: str) -> Reading:
    """Raises redis.RedisError."""
    raw = client.hget(keys.mailboxes, channel)
    return decode(Reading, raw) if isinstance(raw, bytes) else Reading()


def keep(client: redis.Redis, keys: Keys, channel: str, reading: Reading) -> None:
    """Raises redis.RedisError."""
    client.hset(keys.mailboxes, channel, encode(reading))


def forget(client: redis.Redis, keys: Keys, channel: str) -> None:
    """It is read no more. Raises redis.RedisError."""
    client.hdel(keys.mailboxes, channel)
