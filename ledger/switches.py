"""Operators' switches, as those read them who act between two folds."""

import redis

from ledger.keys import Keys


def killed(client: redis.Redis, keys: Keys) -> bool:
    """Whether all automation is stopped. Raises redis.RedisError: who cannot ask may not act."""
    return bool(client.exists(keys.kill))
