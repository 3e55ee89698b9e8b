"""The newest event of a source that the log still holds, with the request it came in."""

from dataclasses import dataclass

import orjson

from ledger import log, wire
from ledger.views import bodies
from ledger.views.bodies import Body
from ledger.views.entries import order
from ledger.views.store import Store
from routing.entry import Lane, Signal, decode_entry
from routing.event import Event

SEARCHED = 500
"""So many entries of each lane are looked through, the newest first."""


@dataclass(frozen=True, slots=True)
class Newest:
    """`body` None when it is not kept any more. `at` ms."""

    id: str
    at: int
    event: Event
    body: Body | None


def newest(store: Store, source: str) -> Newest | None:
    """None when none of the newest entries is of this source. Raises redis.RedisError and ArchiveError."""
    lanes = [_of_lane(store, lane, source) for lane in (Lane.URGENT, Lane.BULK)]
    found = max((each for each in lanes if each), key=lambda each: order(each[0]), default=None)
    if found is None:
        return None
    position, event, raw_id = found
    return Newest(position, log.instant_of(position), event, bodies.find(store, raw_id))


def _of_lane(store: Store, lane: Lane, source: str) -> tuple[str, Event, str] | None:
    named = orjson.dumps(source)
    rows = wire.call(store.client, "XREVRANGE", store.keys.log(lane), "+", "-", "COUNT", SEARCHED)
    for stream_id, fields in rows:
        if named not in fields[b"e"]:
            continue
        entry = decode_entry(fields[b"e"])
        if isinstance(entry, Signal) and entry.event.source == source:
            return log.INITIALS[lane] + stream_id.decode(), entry.event, fields.get(b"r", b"").decode()
    return None
