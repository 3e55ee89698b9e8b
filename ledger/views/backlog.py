"""What waits: entries to be decided, effects to be carried out, timers that are late, dead letters."""

from typing import Any

import redis

from ledger import dead, wire
from ledger.keys import Keys
from ledger.position import Position, instant_of, stream_id
from ledger.state import cursor
from routing.entry import Lane

MOST = 1_000
_LATE_MS = 1_000


def backlog(client: redis.Redis, keys: Keys, now: int) -> dict[str, Any]:
    """{"undecided": {lane: number, "all"}, "oldest_s": of those, "outbox", "timers_overdue", "dead_letters"}.

    A lane is counted up to `MOST`. Raises redis.RedisError.
    """
    at = cursor(client, keys).positions
    lanes = {lane.value: waiting(client, keys, lane, at[lane], MOST) for lane in Lane}
    begun = [began for lane in Lane if (began := _oldest(client, keys, lane, at[lane]))]
    return {
        "undecided": {**lanes, "all": sum(lanes.values())},
        "oldest_s": max(0, now - min(begun)) // 1000 if begun else 0,
        "outbox": int(client.hlen(keys.outbox)),
        "timers_overdue": int(client.zcount(keys.timers, 0, now - _LATE_MS)),
        "dead_letters": dead.waiting(client, keys),
    }


def waiting(client: redis.Redis, keys: Keys, lane: Lane, at: Position, most: int) -> int:
    """Entries of the lane behind the cursor, counted up to `most`."""
    return len(_behind(client, keys, lane, at, most))


def _oldest(client: redis.Redis, keys: Keys, lane: Lane, at: Position) -> int:
    """When the server took it (ms); 0 when none waits."""
    found = _behind(client, keys, lane, at, 1)
    return instant_of(wire.text(found[0][0])) if found else 0


def _behind(client: redis.Redis, keys: Keys, lane: Lane, at: Position, most: int) -> list[Any]:
    found: list[Any] = wire.call(client, "XRANGE", keys.log(lane), f"({stream_id(at)}", "+", "COUNT", most)
    return found
