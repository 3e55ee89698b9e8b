"""A dispatcher known to be dead need not keep its lease until it runs out."""

from contextlib import suppress

import redis
from redis.exceptions import RedisError

from ledger import lease
from ledger.keys import Keys
from workers.children import Spec
from workers.environment import Role


def evict(client: redis.Redis, keys: Keys, spec: Spec, pid: int) -> None:
    """Free the lease if it was this child's. Without Redis there is nothing to free: it runs out by itself."""
    if spec.role is not Role.DISPATCH:
        return
    with suppress(RedisError):
        token = lease.holder(client, keys)
        if token.startswith(f"{lease.process(pid)}:"):
            lease.evict(client, keys, token)
