"""Signs of life: each process says when it was last seen, and is forgotten a while after its last."""

import redis

from ledger import wire
from ledger.keys import Keys
from routing.instant import HOUR

FORGOTTEN_MS = HOUR


def show(client: redis.Redis, keys: Keys, process: str, now: int) -> None:
    """`process` as "<role>.<host>.<pid>". Raises redis.RedisError."""
    client.hset(keys.pulse, process, now)


def forget(client: redis.Redis, keys: Keys, now: int) -> None:
    """Drop who is silent for long; but the last of each role stays, so that its silence can be seen.

    Raises redis.RedisError.
    """
    seen = {wire.text(name): int(at) for name, at in client.hgetall(keys.pulse).items()}
    last = {_role(name): name for name in sorted(seen, key=lambda name: seen[name])}
    gone = [name for name, at in seen.items() if now - at > FORGOTTEN_MS and last[_role(name)] != name]
    if gone:
        client.hdel(keys.pulse, *gone)


def _role(process: str) -> str:
    return process.partition(".")[0]
