"""The built-in outbox: what would have been sent, had the channel's credentials been there."""

import msgspec
import redis

from ledger import wire
from ledger.keys import Keys
from routing.delivery import Purpose
from routing.record import Record, decode, encode
from routing.severity import Severity

MAX_KEPT = 1_000
"""Older ones leave when newer ones come."""


class Unsent(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt of a delivery. `fields` are the vendor's own: {"To": ..., "Twiml": ...}, secrets left out.

    `missing` names the environment variables that would have made it real. `id` is the place in the stream.
    """

    at: int
    delivery: str
    attempt: int
    incident: str
    contact: str
    channel: str
    vendor: str
    to: str
    purpose: Purpose
    severity: Severity
    fields: dict[str, str]
    missing: list[str] = []
    repeat: bool = False
    id: str = ""


def keep(client: redis.Redis, keys: Keys, record: Unsent) -> str:
    """Keep it and return its id. Raises redis.RedisError."""
    found = client.xadd(keys.sandbox, {"e": encode(record)}, maxlen=MAX_KEPT, approximate=True)
    return found.decode() if isinstance(found, bytes) else str(found)


def listing(client: redis.Redis, keys: Keys, limit: int = 50, before: str = "") -> list[Unsent]:
    """Newest first; `before` is the id of the last one already seen."""
    end = f"({before}" if before else "+"
    found = wire.call(client, "XREVRANGE", keys.sandbox, end, "-", "COUNT", limit)
    return [msgspec.structs.replace(decode(Unsent, fields[b"e"]), id=at.decode()) for at, fields in found]
