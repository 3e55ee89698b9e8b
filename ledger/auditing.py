"""What the auditor of open work found when it last looked, for whoever asks how we are."""

from dataclasses import dataclass

import orjson
import redis

from ledger.keys import Keys


@dataclass(frozen=True, slots=True)
class Audited:
    """`at` ms. `trouble` "" where nothing open is forgotten."""

    at: int
    trouble: str


def save(client: redis.Redis, keys: Keys, found: Audited) -> None:
    """Raises redis.RedisError."""
    client.set(keys.audited, orjson.dumps({"at": found.at, "trouble": found.trouble}))


def last(client: redis.Redis, keys: Keys) -> Audited | None:
    """None when none has ever looked. Raises redis.RedisError."""
    found = client.get(keys.audited)
    if not isinstance(found, bytes):
        return None
    read = orjson.loads(found)
    return Audited(int(read["at"]), str(read["trouble"]))
