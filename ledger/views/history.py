"""History: everything that was decided, in the order and at the instants it was decided."""

from collections.abc import Iterator
from dataclasses import dataclass

from ledger import log, wire
from ledger.archive.database import ArchivedBatch
from ledger.archive.moving import batch
from ledger.views.entries import order
from ledger.views.store import Store
from routing.entry import Lane
from routing.instant import HOUR

_AT_ONCE = 500
_Row = tuple[str, bytes, bytes]
"""Position, entry, verdict."""
_LEAD_MS = HOUR
"""Entries may wait this long before they are decided: reading begins so much earlier."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One entry as it was appended (`raw`, JSON) and when it was decided (ms), by which policy.

    `verdict` is its encoded Verdict, b"" when it had none.
    """

    position: str
    lane: Lane
    raw: bytes
    at: int
    policy: str
    verdict: bytes = b""


def batches(store: Store, since: int = 0) -> Iterator[list[Decided]]:
    """What each commit decided, from an instant (ms) on, oldest first; archived or live."""
    begin = max(0, since - _LEAD_MS)
    lanes = {lane: _Reader(store, lane, begin) for lane in Lane}
    for found in _batches(store, begin):
        decided = [
            Decided(position, lane, raw, found.at, found.policy, verdict)
            for lane in Lane
            if lane.value in found.moved
            for position, raw, verdict in lanes[lane].until(found.moved[lane.value])
        ]
        if found.at >= since:
            yield decided


def _batches(store: Store, since: int) -> Iterator[ArchivedBatch]:
    """The archive's, then the live ones; what is moving right now is in both."""
    last = (-1, -1)
    for old in store.archive.batches(since):
        last = old.place
        yield old
    start = "-"
    while rows := wire.call(store.client, "XRANGE", store.keys.batches, start, "+", "COUNT", _AT_ONCE):
        for row in rows:
            found = batch(row)
            if found.place > last and found.at >= since:
                yield found
        start = f"({rows[-1][0].decode()}"


class _Reader:
    """One lane's entries in order, read as far as they are asked for."""

    def __init__(self, store: Store, lane: Lane, since: int) -> None:
        self._rows = _rows(store, lane, since)
        self._next = next(self._rows, None)

    def until(self, position: str) -> Iterator[_Row]:
        last = order(position)
        while self._next is not None and order(self._next[0]) <= last:
            yield self._next
            self._next = next(self._rows, None)


def _rows(store: Store, lane: Lane, since: int) -> Iterator[_Row]:
    last = (-1, -1)
    for row in _archived(store, lane, since):
        last = order(row[0])
        yield row
    start = str(since)
    while rows := wire.call(store.client, "XRANGE", store.keys.log(lane), start, "+", "COUNT", _AT_ONCE):
        live = [(log.INITIALS[lane] + stream_id.decode(), fields[b"e"]) for stream_id, fields in rows]
        for (position, raw), verdict in zip(live, _verdicts(store, lane, live), strict=True):
            if order(position) > last:
                yield position, raw, verdict
        start = f"({rows[-1][0].decode()}"


def _verdicts(store: Store, lane: Lane, live: list[tuple[str, bytes]]) -> list[bytes]:
    pipe = store.client.pipeline(transaction=False)
    for position, _ in live:
        pipe.hget(store.keys.verdicts(lane, log.instant_of(position) // HOUR), position)
    return [found or b"" for found in pipe.execute()]


def _archived(store: Store, lane: Lane, since: int) -> Iterator[_Row]:
    span = store.archive.span(lane.value)
    at = max(since, span[0])
    while at <= span[1]:
        found = store.archive.entries_of_lane(lane.value, at, at + HOUR)
        yield from sorted(
            ((each.position, each.entry, each.verdict) for each in found), key=lambda row: order(row[0])
        )
        at += HOUR
