"""The event log: three streams, one per lane; what is appended is on disk before the answer comes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import redis
import redis.asyncio

from ledger import replicas as followers
from ledger import wire
from ledger.dead_letter import DeadLetter
from ledger.keys import Keys
from ledger.position import INITIALS, START, Position, instant_of, is_stream_id, lane_of, position, stream_id
from ledger.script import Script
from ledger.wire import Argument, text
from routing.entry import AnyEntry, Lane, Signal, encode_entry
from routing.record import encode

__all__ = [
    "INITIALS", "START", "FoundEntry", "Kept", "NewEvent", "Position", "RawBody", "Request", "append",
    "append_many", "append_replay", "append_requests", "find", "instant_of", "raw_body", "read", "stream_id",
]  # fmt: skip

_APPEND = Script("append")
_APPEND_ENTRIES = Script("append_entries")
_APPEND_REPLAY = Script("append_replay")
_NUMBERS = {Lane.CONTROL: 1, Lane.URGENT: 2, Lane.BULK: 3}


class NewEvent(NamedTuple):
    """`vendor_id`: the id the vendor defines as one per event; "" where it defines none."""

    lane: Lane
    vendor_id: str
    entry: bytes


class Request(msgspec.Struct, frozen=True):
    """One HTTP request, kept as a whole or not at all. `dedup_ms`: how long vendor ids are remembered."""

    source: str
    body: bytes
    headers: bytes
    """Redacted, as JSON."""
    events: Sequence[NewEvent]
    dead: Sequence[DeadLetter] = ()
    dedup_ms: int = 259_200_000
    found: bool = False
    """We found it ourselves: the source did not speak."""


class Kept(NamedTuple):
    """Ids in the order of the request's events and dead letters; a repeat has the first one's id."""

    accepted: list[str]
    dead: list[str]


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """`id` is not the `position` for replays only. `raw`: the entry as JSON; `raw_id`: its raw body's id."""

    id: str
    position: Position
    lane: Lane
    raw: bytes
    raw_id: str = ""


class RawBody(NamedTuple):
    """What a source sent: its bytes, the redacted headers as JSON."""

    body: bytes
    headers: bytes
    source: str


def append(client: redis.Redis, keys: Keys, lane: Lane, entry: AnyEntry, *, replicas: int = 0) -> Position:
    """Append one entry. Raises redis.RedisError or NotDurable; then it may have been appended.

    Appending the same result twice is harmless: the fold compares attempts.
    """
    return append_many(client, keys, [(lane, entry)], replicas=replicas)[0]


def append_many(
    client: redis.Redis, keys: Keys, entries: Sequence[tuple[Lane, AnyEntry]], *, replicas: int = 0
) -> list[Position]:
    """Append several entries, all or none. Raises as `append`."""
    if not entries:
        return []
    lanes = [keys.log(lane) for lane, _ in entries]
    raws = [encode_entry(entry) for _, entry in entries]
    ids = followers.run(_APPEND_ENTRIES, client, lanes, raws, replicas)
    return [position(lane, text(each)) for (lane, _), each in zip(entries, ids, strict=True)]


def append_replay(
    client: redis.Redis, keys: Keys, lane: Lane, entry: Signal, replay_id: str, *, raw_id: str = ""
) -> Position:
    """Append a replay under its id `<id>.r<n>`; asked again, it answers with the first one's position."""
    found = _APPEND_REPLAY.run(
        client,
        (keys.log(lane), keys.replayed(replay_id)),
        (INITIALS[lane], encode_entry(entry), replay_id, raw_id),
    )
    return text(found)


async def append_requests(
    client: redis.asyncio.Redis, keys: Keys, batch: Sequence[Request], *, replicas: int = 0
) -> list[Kept]:
    """Append a batch of requests in one script and one fsync; returns when they are on disk.

    Raises redis.RedisError or NotDurable. Then it is unknown what was kept: answer 503; what was kept is
    deduplicated when the vendor sends again.
    """
    lanes = (keys.log(Lane.CONTROL), keys.log(Lane.URGENT), keys.log(Lane.BULK))
    places = (*lanes, keys.raw, keys.dead, keys.dead_index, keys.dead_waiting, keys.dead_seen)
    replies = await followers.run_async(_APPEND, client, places, _pack(keys, batch), replicas)
    return [
        Kept([each.decode() for each in accepted], [each.decode() for each in dead])
        for accepted, dead in replies
    ]


def _pack(keys: Keys, batch: Sequence[Request]) -> list[Argument]:
    packed: list[Argument] = []
    for request in batch:
        packed += (request.source, request.body, request.headers, request.dedup_ms)
        packed += (len(request.events), len(request.dead))
        for lane, vendor_id, entry in request.events:
            packed += (_NUMBERS[lane], keys.seen(request.source, vendor_id) if vendor_id else b"", entry)
        for letter in request.dead:
            packed += (letter.id, encode(letter), letter.at)
    return packed


def read(
    client: redis.Redis, keys: Keys, cursor: Mapping[Lane, Position], count: int, block_ms: int
) -> dict[Lane, list[tuple[Position, bytes]]]:
    """The next entries of each lane in `cursor`, at most `count` a lane; waits `block_ms` for a first one.

    `block_ms` 0 does not wait. Lanes without news are missing in the answer.
    """
    lanes = {keys.log(lane).encode(): lane for lane in cursor}
    wait = ("BLOCK", block_ms) if block_ms > 0 else ()
    after = [stream_id(cursor[lane]) for lane in lanes.values()]
    found = wire.call(client, "XREAD", "COUNT", count, *wait, "STREAMS", *lanes, *after) or []
    pages = found.items() if isinstance(found, dict) else found  # by protocol version
    return {
        lanes[stream]: [(INITIALS[lanes[stream]] + at.decode(), fields[b"e"]) for at, fields in entries]
        for stream, entries in pages
    }


def find(client: redis.Redis, keys: Keys, entry_id: str) -> FoundEntry | None:
    """An entry by its id, replays by theirs; None when the log has it not, or not any more."""
    known = client.get(keys.replayed(entry_id)) if ".r" in entry_id else None
    at: Position = text(known) if known else entry_id
    lane = lane_of(at)
    fields = _fields(client, keys.log(lane), stream_id(at)) if lane else None
    if lane is None or fields is None:
        return None
    return FoundEntry(text(fields.get(b"i", b"")) or at, at, lane, fields[b"e"], text(fields.get(b"r", b"")))


def raw_body(client: redis.Redis, keys: Keys, raw_id: str) -> RawBody | None:
    """What a source sent, byte by byte; None when it is not there, or not any more."""
    fields = _fields(client, keys.raw, raw_id) if is_stream_id(raw_id) else None
    return RawBody(fields[b"b"], fields[b"h"], text(fields[b"s"])) if fields else None


def _fields(client: redis.Redis, stream: str, at: str) -> dict[bytes, bytes] | None:
    found = wire.call(client, "XRANGE", stream, at, at, "COUNT", 1)
    return found[0][1] if found else None
