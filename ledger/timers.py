"""Timers: every wait of the system, as a sorted set; what is due becomes an entry of the log."""

from collections.abc import Iterable, Iterator

import redis

from ledger import wire
from ledger.keys import Keys
from ledger.script import Script
from ledger.wire import text
from routing.timer import Timer, Wake

AT_MOST = 500
"""Timers fired by one call, so that a storm of them never holds the server up for long."""

_FIRE_DUE = Script("fire_due")
_AT_ONCE = 2_000


def fire_due(client: redis.Redis, keys: Keys, now: int, *, at_most: int = AT_MOST) -> int:
    """Append a TimerDue entry for each timer due at `now` (ms); returns how many, each fired exactly once.

    `at_most` means: there may be more, call again.
    """
    return int(_FIRE_DUE.run(client, (keys.timers, keys.log("control")), (now, at_most)))


def mend(client: redis.Redis, keys: Keys, timers: Iterable[Timer]) -> int:
    """Set those of the state's timers that are not set; returns how many were missing.

    One is missing when its entry was set aside as undecidable, or waits in the log still: firing it twice is
    harmless.
    """
    scores = [part for timer in timers for part in (timer.at, timer.id)]
    return int(wire.call(client, "ZADD", keys.timers, "NX", *scores)) if scores else 0


def next_due(client: redis.Redis, keys: Keys) -> int | None:
    """The instant (ms) of the earliest timer; None when none is set."""
    first = client.zrange(keys.timers, 0, 0, withscores=True)
    return int(first[0][1]) if first else None


def subjects(client: redis.Redis, keys: Keys, wake: Wake) -> Iterator[str]:
    """What has a timer of this kind set, in no order, each once. All timers are looked through, on the server."""
    position, seen = 0, set[str]()
    while True:
        position, found = wire.call(
            client, "ZSCAN", keys.timers, position, "MATCH", f"{wake}:*", "COUNT", _AT_ONCE
        )
        for name in {text(name).partition(":")[2] for name, _ in found} - seen:
            seen.add(name)
            yield name
        if not int(position):
            return
