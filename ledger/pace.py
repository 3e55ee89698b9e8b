"""Pace: no provider is asked faster than it takes, whatever the number of workers; what is urgent goes first."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import redis

from ledger.keys import Keys
from ledger.script import Script
from routing.ports import Pace

_PACE = Script("pace")
_SHUT = Script("shut")

SLACK = 1.05
"""A message is on its way longer than the one before, and they arrive nearer to each other than they left."""


@dataclass(frozen=True, slots=True)
class Turn:
    """`granted`: it is due in `wait_ms`, and spent. Otherwise to be asked for again after `wait_ms`."""

    granted: bool
    wait_ms: int


def take(
    client: redis.Redis,
    keys: Keys,
    paces: Sequence[Pace],
    *,
    urgent: bool,
    returns: bool = False,
    patience_ms: int = 1_000,
    now: int | None = None,
) -> Turn:
    """A turn under every one of the paces. Who is urgent has the next one, if it is within `patience_ms`.

    `returns`: it asks again at the time it was told, and has waited in the line already. `now` (ms) is the
    server's clock unless given. Raises redis.RedisError.
    """
    between = [ceil(1000 * SLACK / each.per_s) for each in paces]
    told = ("" if now is None else now, int(urgent), int(returns), patience_ms, *between)
    granted, wait = _PACE.run(client, [keys.pace(each.key) for each in paces], told)
    return Turn(granted == 1, int(wait))


def shut(client: redis.Redis, keys: Keys, paces: Sequence[Pace], ms: int, urgent_ms: int) -> None:
    """Nobody sends under these paces for so long, what is urgent for `urgent_ms`. Raises redis.RedisError."""
    if paces:
        _SHUT.run(client, [keys.pace(each.key) for each in paces], (ms, urgent_ms))
