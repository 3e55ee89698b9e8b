"""The event log: three streams, one per lane; what is appended is on disk before the answer comes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import redis
import redis.asyncio

from ledger.dead import DeadLetter
from ledger.keys import Keys
from ledger.script import Argument, Script
from routing.entry import AnyEntry, Lane, Signal, encode_entry
from routing.errors import TocsinError
from routing.record import encode

Position = str
"""Where an entry is in the log: the lane's initial and the stream id, "u1732406400123-0"."""

START = "0-0"

INITIALS: Mapping[Lane, str] = {Lane.CONTROL: "c", Lane.URGENT: "u", Lane.BULK: "b"}
_LANES = {initial: lane for lane, initial in INITIALS.items()}
_NUMBERS = {Lane.CONTROL: b"1", Lane.URGENT: b"2", Lane.BULK: b"3"}

_APPEND = Script("append")
_APPEND_REPLAY = Script("append_replay")
_REPLICA_WAIT_MS = 2_000


class NotDurable(TocsinError):
    """Written here, but not confirmed by as many replicas as the settings ask for."""


class NewEvent(NamedTuple):
    """`vendor_id`: the id the vendor defines as one per event; "" where it defines none."""

    lane: Lane
    vendor_id: str
    entry: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, kept as a whole or not at all. `dedup_ms`: how long vendor ids are remembered."""

    source: str
    body: bytes
    headers: bytes
    """Redacted, as JSON."""
    events: Sequence[NewEvent]
    dead: Sequence[DeadLetter] = ()
    dedup_ms: int = 259_200_000


class Kept(NamedTuple):
    """Ids in the order of the request's events and dead letters; a repeat has the first one's id."""

    accepted: list[str]
    dead: list[str]


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """`id` differs from `position` for replays only. `raw`: the entry as JSON; `raw_id`: its raw body's id."""

    id: str
    position: Position
    lane: Lane
    raw: bytes
    raw_id: str = ""


class RawBody(NamedTuple):
    body: bytes
    headers: bytes
    source: str


def append(client: redis.Redis, keys: Keys, lane: Lane, entry: AnyEntry, *, replicas: int = 0) -> Position:
    """Append one entry. Raises redis.RedisError; on a connection error it may have been appended.

    Appending the same result twice is harmless: the fold compares attempts.
    """
    return append_many(client, keys, [(lane, entry)], replicas=replicas)[0]


def append_many(
    client: redis.Redis, keys: Keys, entries: Iterable[tuple[Lane, AnyEntry]], *, replicas: int = 0
) -> list[Position]:
    """Append several entries, all or none. Raises as `append`."""
    known = list(entries)
    pipe = client.pipeline(transaction=len(known) > 1 or replicas > 0)
    for lane, entry in known:
        pipe.xadd(keys.log(lane), {"e": encode_entry(entry)})
    if replicas:
        pipe.execute_command("WAITAOF", 1, replicas, _REPLICA_WAIT_MS)
    replies = pipe.execute()
    if replicas:
        _check_replicas(replies[-1], replicas)
    return [INITIALS[lane] + _text(reply) for (lane, _), reply in zip(known, replies, strict=False)]


def append_replay(
    client: redis.Redis, keys: Keys, lane: Lane, entry: Signal, replay_id: str, *, raw_id: str = ""
) -> Position:
    """Append a replay under its id `<id>.r<n>`; asked again, it answers with the first one's position."""
    found = _APPEND_REPLAY.run(
        client,
        (keys.log(lane), keys.replayed(replay_id)),
        (INITIALS[lane], encode_entry(entry), replay_id, raw_id),
    )
    return _text(found)


async def append_requests(
    client: redis.asyncio.Redis, keys: Keys, batch: Sequence[Request], *, replicas: int = 0
) -> list[Kept]:
    """Append a batch of requests in one script and one fsync; returns when they are on disk.

    Raises redis.RedisError or NotDurable. Then it is unknown what was kept: answer 503; what was kept is
    deduplicated when the vendor sends again.
    """
    replies = await _APPEND.run_async(client, _append_keys(keys), _arguments(keys, batch))
    if replicas:
        _check_replicas(await client.execute_command("WAITAOF", 1, replicas, _REPLICA_WAIT_MS), replicas)
    return [
        Kept([_text(each) for each in accepted], [_text(each) for each in dead]) for accepted, dead in replies
    ]


def _append_keys(keys: Keys) -> tuple[str, ...]:
    lanes = (keys.log(Lane.CONTROL), keys.log(Lane.URGENT), keys.log(Lane.BULK))
    return (*lanes, keys.raw, keys.dead, keys.dead_index, keys.dead_waiting, keys.dead_seen)


def _arguments(keys: Keys, batch: Sequence[Request]) -> list[Argument]:
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
    streams = {keys.log(lane).encode(): lane for lane in cursor}
    command: list[Argument] = ["XREAD", "COUNT", count]
    if block_ms > 0:
        command += ["BLOCK", block_ms]
    positions = [stream_id(cursor[lane]) for lane in streams.values()]
    found = client.execute_command(*command, "STREAMS", *streams, *positions) or []
    news = {}
    for stream, entries in found:
        initial = INITIALS[streams[stream]]
        news[streams[stream]] = [(initial + at.decode(), fields[b"e"]) for at, fields in entries]
    return news


def find(client: redis.Redis, keys: Keys, entry_id: str) -> FoundEntry | None:
    """An entry by its id, replays by theirs; None when the log has it not, or not any more."""
    position: Position = entry_id
    if ".r" in entry_id:
        known = client.get(keys.replayed(entry_id))
        if known is None:
            return None
        position = _text(known)
    lane = _LANES.get(position[:1])
    if lane is None or not _is_stream_id(position[1:]):
        return None
    at = position[1:]
    for _, fields in client.xrange(keys.log(lane), at, at, count=1):
        replay = _text(fields.get(b"i", b""))
        return FoundEntry(replay or position, position, lane, fields[b"e"], _text(fields.get(b"r", b"")))
    return None


def raw_body(client: redis.Redis, keys: Keys, raw_id: str) -> RawBody | None:
    """What a source sent, byte by byte; None when it is not there, or not any more."""
    if not _is_stream_id(raw_id):
        return None
    for _, fields in client.xrange(keys.raw, raw_id, raw_id, count=1):
        return RawBody(fields[b"b"], fields[b"h"], _text(fields[b"s"]))
    return None


def stream_id(position: Position) -> str:
    """The stream's own id of a position; "" is the start."""
    return position.lstrip("cub") or START


def instant_of(position: Position) -> int:
    """When the server took it, ms."""
    return int(stream_id(position).partition("-")[0])


def _is_stream_id(text: str) -> bool:
    first, _, second = text.partition("-")
    return first.isdigit() and second.isdigit()


def _check_replicas(reply: Sequence[int], wanted: int) -> None:
    confirmed = int(reply[1])
    if confirmed < wanted:
        raise NotDurable(
            f"{confirmed} of {wanted} replicas confirmed within {_REPLICA_WAIT_MS} ms; "
            "check the replicas, or lower TOCSIN_WAIT_REPLICAS"
        )


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
