"""The dispatcher's lease: who may commit. Its fence moves at each takeover, and commits watch the fence."""

import os
import secrets
import socket

import redis

from ledger.keys import Keys
from ledger.script import Script

TTL_MS = 2_000

_ACQUIRE = Script("acquire")
_RENEW = Script("renew")


class Lease:
    """Held by one process at a time. `token` starts with "<host>:<pid>:": it tells whose it is."""

    def __init__(self, client: redis.Redis, keys: Keys, *, ttl_ms: int = TTL_MS, token: str = "") -> None:
        self.token = token or f"{process()}:{secrets.token_hex(6)}"
        self._client = client
        self._keys = keys
        self._ttl_ms = ttl_ms

    def acquire(self) -> int | None:
        """The fence to commit under; None while somebody else holds it.

        A fence other than the last one means that the state must be loaded again. After a commit whose answer
        never came, ask with a new Lease: only a moved fence stops what may still be on its way.
        """
        found = _ACQUIRE.run(self._client, (self._keys.lease, self._keys.fence), (self.token, self._ttl_ms))
        return None if found is None else int(found)

    def renew(self) -> bool:
        """False: it ran out, and somebody else may have it."""
        return bool(_RENEW.run(self._client, (self._keys.lease,), (self.token, self._ttl_ms)))

    def release(self) -> bool:
        """Give it back at once; False when it was not ours any more."""
        return evict(self._client, self._keys, self.token)


def process(pid: int = 0) -> str:
    """How a token names a process of this machine: "<host>:<pid>"; without a pid, this one."""
    return f"{socket.gethostname()}:{pid or os.getpid()}"


def holder(client: redis.Redis, keys: Keys) -> str:
    """Token of who holds the lease; "" when nobody does."""
    found = client.get(keys.lease)
    return found.decode() if isinstance(found, bytes) else ""


def evict(client: redis.Redis, keys: Keys, token: str) -> bool:
    """Free the lease of a holder known to be dead, without waiting for it to run out."""
    return bool(_RENEW.run(client, (keys.lease,), (token, 0)))
