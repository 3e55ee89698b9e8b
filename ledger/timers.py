"""Timers: every wait of the system, as a sorted set; what is due becomes an entry of the log."""

import redis

from ledger.keys import Keys
from ledger.script import Script

AT_MOST = 500
"""Timers fired by one call, so that a storm of them never holds the server up for long."""

_FIRE_DUE = Script("fire_due")


def fire_due(client: redis.Redis, keys: Keys, now: int, *, at_most: int = AT_MOST) -> int:
    """Append a TimerDue entry for each timer due at `now` (ms); returns how many, each fired exactly once.

    `at_most` means: there may be more, call again.
    """
    return int(_FIRE_DUE.run(client, (keys.timers, keys.log("control")), (now, at_most)))


def next_due(client: redis.Redis, keys: Keys) -> int | None:
    """The instant (ms) of the earliest timer; None when none is set."""
    first = client.zrange(keys.timers, 0, 0, withscores=True)
    return int(first[0][1]) if first else None
