"""What sources sent, in the order it came in, archived or live: by source, time, matchers or a condition."""

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from ledger import log, wire
from ledger.position import lane_of
from ledger.views import bodies
from ledger.views.entries import order
from ledger.views.store import Store
from routing.entry import Lane, Signal, decode_entry
from routing.incident import Verdict
from routing.instant import HOUR, iso
from routing.language import expressions
from routing.language.matchers import Matcher, all_match
from routing.record import decode

_LANES = (Lane.URGENT, Lane.BULK)
_AT_ONCE = 500
_Place = tuple[tuple[int, int], str]
_Row = tuple[str, str, bytes, str, bytes]
"""Position, id, entry, id of the raw body, verdict."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One event as it was kept, and what became of it. `raw_id` "" where it came in no body."""

    id: str
    position: str
    lane: Lane
    entry: Signal
    raw_id: str
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of them: from `since` to before `until` (ms), of these sources (none: of all), that match.

    `where` is a condition in JMESPath over {id, at, event, did, incident, headers, body}; `body` is null where it is
    no JSON, or gone.
    """

    since: int
    until: int
    sources: Collection[str] = ()
    matchers: Sequence[Matcher] = ()
    where: str = ""


def sent(store: Store, wanted: Wanted, after: str = "") -> Iterator[Sent]:
    """Oldest first; after the one of that id. Replays are not among them: what they replay is.

    Raises routing.language.expressions.BadExpression, redis.RedisError and ArchiveError.
    """
    return (found for found in _all(store, wanted, after) if _is_wanted(store, wanted, found))


def some(store: Store, wanted: Wanted, after: str, most: int, looked_at: int) -> tuple[list[Sent], str]:
    """As `sent`: at most so many, found among the next `looked_at`; and after which to go on, "" at the end."""
    kept: list[Sent] = []
    for number, found in enumerate(_all(store, wanted, after), 1):
        if _is_wanted(store, wanted, found):
            kept.append(found)
        if len(kept) >= most or number >= looked_at:
            return kept, found.position
    return kept, ""


def _all(store: Store, wanted: Wanted, after: str) -> Iterator[Sent]:
    """Whatever came in that time."""
    begin = max(wanted.since, log.instant_of(after)) if after else wanted.since
    lanes = [_lane(store, lane, begin, wanted.until) for lane in _LANES]
    for _, row in heapq.merge(*lanes, key=lambda found: found[0]):
        found = _read(row)
        if found is not None and not (after and _place(found.position) <= _place(after)):
            yield found


def _is_wanted(store: Store, wanted: Wanted, found: Sent) -> bool:
    event = found.entry.event
    if wanted.sources and event.source not in wanted.sources:
        return False
    if not all_match(wanted.matchers, event.attributes()):
        return False
    return not wanted.where or expressions.holds(wanted.where, _context(store, found))


def _context(store: Store, found: Sent) -> Mapping[str, Any]:
    raw = bodies.find(store, found.raw_id)
    return {
        "id": found.id,
        "at": iso(log.instant_of(found.position)),
        "event": msgspec.to_builtins(found.entry.event),
        "did": found.verdict.did if found.verdict else None,
        "incident": found.verdict.incident if found.verdict else None,
        "headers": raw.headers if raw else {},
        "body": _json(raw.body) if raw else None,
    }


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _read(row: _Row) -> Sent | None:
    """None of a replay, and of what is no event."""
    position, id_, raw, raw_id, verdict = row
    try:
        entry = decode_entry(raw)
    except ValueError:  # set aside as undecidable
        return None
    lane = lane_of(position)
    if lane is None or not isinstance(entry, Signal) or entry.replay_of:
        return None
    return Sent(id_, position, lane, entry, raw_id, decode(Verdict, verdict) if verdict else None)


def _place(position: str) -> _Place:
    return order(position), position[:1]


def _lane(store: Store, lane: Lane, since: int, until: int) -> Iterator[tuple[_Place, _Row]]:
    last = (-1, -1)
    for row in _archived(store, lane, since, until):
        last = order(row[0])
        yield _place(row[0]), row
    for row in _live(store, lane, since, until):
        if order(row[0]) > last:
            yield _place(row[0]), row


def _archived(store: Store, lane: Lane, since: int, until: int) -> Iterator[_Row]:
    oldest, newest = store.archive.span(lane.value)
    at, end = max(since, oldest), min(until, newest + 1)
    while at < end:
        found = store.archive.entries_of_lane(lane.value, at, min(at + HOUR, end))
        for each in sorted(found, key=lambda one: order(one.position)):
            yield each.position, each.id, each.entry, each.raw, each.verdict
        at += HOUR


def _live(store: Store, lane: Lane, since: int, until: int) -> Iterator[_Row]:
    start, stream = str(since), store.keys.log(lane)
    while rows := wire.call(store.client, "XRANGE", stream, start, str(until - 1), "COUNT", _AT_ONCE):
        at = [log.INITIALS[lane] + stream_id.decode() for stream_id, _ in rows]
        pipe = store.client.pipeline(transaction=False)
        for position in at:
            pipe.hget(store.keys.verdicts(lane, log.instant_of(position) // HOUR), position)
        for position, (_, fields), verdict in zip(at, rows, pipe.execute(), strict=True):
            id_ = fields.get(b"i", b"").decode() or position
            yield position, id_, fields[b"e"], fields.get(b"r", b"").decode(), verdict or b""
        start = f"({rows[-1][0].decode()}"
