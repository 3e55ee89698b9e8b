"""What each source has sent: when last, how much in the hour, and how often it was refused, with examples."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
import redis

from ledger.keys import Keys
from ledger.wire import text
from routing.instant import HOUR

KEPT_S = 90_000
"""How long an hour's counts are kept: for the day before."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Of one source. `last_at` ms, 0 for never; `hour` how many events in the last sixty minutes, about;
    `refused` by why.
    """

    last_at: int = 0
    hour: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)


def of_sources(client: redis.Redis, keys: Keys, now: int) -> dict[str, Arrivals]:
    """By the source's name. Raises redis.RedisError."""
    pipe = client.pipeline(transaction=False)
    for key in (
        keys.last_arrivals,
        keys.arrivals(now // HOUR),
        keys.arrivals(now // HOUR - 1),
        keys.refusals,
    ):
        pipe.hgetall(key)
    last, hour, before, refusals = (
        {text(name): int(each) for name, each in found.items()} for found in pipe.execute()
    )
    refused: dict[str, dict[str, int]] = {}
    for told, times in refusals.items():
        source, _, why = told.rpartition(" ")
        refused.setdefault(source, {})[why] = times
    left = 1 - now % HOUR / HOUR
    return {
        name: Arrivals(
            last.get(name, 0), hour.get(name, 0) + round(before.get(name, 0) * left), refused.get(name, {})
        )
        for name in {*last, *hour, *before, *refused}
    }


def by_hour(client: redis.Redis, keys: Keys, source: str, now: int) -> list[int]:
    """How many events of it came in each of the last 24 hours, the one that runs last. Raises redis.RedisError."""
    pipe = client.pipeline(transaction=False)
    for hour in range(now // HOUR - 23, now // HOUR + 1):
        pipe.hget(keys.arrivals(hour), source)
    return [int(found or 0) for found in pipe.execute()]


def last(client: redis.Redis, keys: Keys) -> dict[str, int]:
    """When something of each source was last kept (ms). Raises redis.RedisError."""
    return {text(name): int(at) for name, at in client.hgetall(keys.last_arrivals).items()}


def examples(client: redis.Redis, keys: Keys, source: str) -> list[dict[str, object]]:
    """The last requests of this source that were refused, redacted, newest first. Raises redis.RedisError."""
    found = client.lrange(keys.refused(source), 0, -1)
    return [orjson.loads(each) for each in found]
