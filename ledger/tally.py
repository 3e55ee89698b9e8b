"""Counters of processes that have no endpoint of their own. The receiver's `/metrics` shows them."""

import re

import redis

from ledger.keys import Keys

_UNFIT = re.compile(r'["\\{}\n]')
_LONGEST = 100


def count(client: redis.Redis, keys: Keys, name: str, **labels: str) -> None:
    """One more. `name` ends in `_total`. Raises redis.RedisError."""
    told = ",".join(f'{label}="{_UNFIT.sub("_", value)[:_LONGEST]}"' for label, value in labels.items())
    client.hincrby(keys.metrics, f"{name}{{{told}}}")
