"""Whose turn it is, where one process is enough and two do no harm: a name in a key that expires."""

import redis

from ledger import wire


def mine(client: redis.Redis, key: str, worker: str, ttl_ms: int) -> bool:
    """Whether it is this process's turn; asked again, it stays so. Raises redis.RedisError.

    Two may both think so for a moment after an expiry.
    """
    if client.set(key, worker, nx=True, px=ttl_ms):
        return True
    if wire.text(client.get(key) or b"") != worker:
        return False
    return bool(client.pexpire(key, ttl_ms))


def give_back(client: redis.Redis, key: str, worker: str) -> None:
    """So that another need not wait for the expiry. Raises redis.RedisError."""
    if wire.text(client.get(key) or b"") == worker:
        client.delete(key)
