"""Sweep: moves what is decided and over from Redis to the archive, a bounded amount per call.

Always in this order: copy, commit with fsync, then delete from Redis. A kill at any instant leaves a copy too
many, never one too few, and the next sweep overwrites that copy with the same.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import redis

from ledger import dead, log, wire
from ledger.archive.database import (
    Archive,
    ArchivedBatch,
    ArchivedDead,
    ArchivedEntry,
    ArchivedIncident,
    ArchivedRaw,
)
from ledger.faults import reach
from ledger.keys import Keys
from ledger.script import Script
from ledger.state import cursor
from ledger.tables import OWNED
from routing.decision import Table
from routing.entry import Lane, Signal, decode_entry
from routing.incident import Incident
from routing.instant import HOUR
from routing.record import decode
from routing.timer import Timer

BATCH = 500
"""Entries moved per lane and call."""
INCIDENTS = 20
"""Incidents moved per call."""
_LOCK_MS = 60_000
_FORGET_DEAD = Script("forget_dead")
_RENEW = Script("renew")

StreamRow = tuple[bytes, dict[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Swept:
    """What one call moved. `more`: there is more to move, call again soon."""

    entries: int = 0
    incidents: int = 0
    dead: int = 0
    more: bool = False


def sweep(client: redis.Redis, keys: Keys, path: Path, now: int, keep_ms: int, max_entries: int) -> Swept:
    """Move decided entries older than `keep_ms` or beyond `max_entries` of a lane, retired incidents, and
    dead letters that were settled before `keep_ms`.

    Moves nothing while another process sweeps or a backup is made. Raises redis.RedisError, ArchiveError.
    """
    with sweeping(client, keys) as mine:
        if not mine:
            return Swept()
        archive = Archive(path)
        moved = [_sweep_lane(client, keys, archive, lane, now - keep_ms, max_entries) for lane in Lane]
        incidents = _sweep_incidents(client, keys, archive)
        letters = _sweep_dead(client, keys, archive, now - keep_ms)
        batches = _sweep_batches(client, keys, archive, now - keep_ms, max_entries)
        more = max(*moved, letters, batches) >= BATCH or incidents >= INCIDENTS
        return Swept(sum(moved), incidents, letters, more)


@contextmanager
def sweeping(client: redis.Redis, keys: Keys, ttl_ms: int = _LOCK_MS) -> Iterator[str]:
    """The right to move things to the archive: a token, or "" while somebody else has it.

    A backup takes it too, so that nothing moves from one half of the backup to the other meanwhile.
    """
    token = secrets.token_hex(8)
    mine = client.set(keys.sweeping, token, nx=True, px=ttl_ms)
    try:
        yield token if mine else ""
    finally:
        if mine:
            keep_sweeping(client, keys, token, 0)


def keep_sweeping(client: redis.Redis, keys: Keys, token: str, ttl_ms: int = _LOCK_MS) -> bool:
    """Keep the right for longer; False when it ran out, and somebody else may have it."""
    return bool(_RENEW.run(client, (keys.sweeping,), (token, ttl_ms)))


def _sweep_lane(
    client: redis.Redis, keys: Keys, archive: Archive, lane: Lane, before: int, max_entries: int
) -> int:
    rows = _due(client, keys, lane, before, max_entries)
    if not rows:
        return 0
    entries = _with_verdicts(client, keys, [_entry(lane, row) for row in rows])
    raws = _raws(client, keys, sorted({entry.raw for entry in entries if entry.raw}))
    archive.put(entries=entries, raws=raws)
    reach("archive.copied")
    pipe = client.pipeline(transaction=True)
    pipe.xdel(keys.log(lane), *(at for at, _ in rows))
    if raws:
        pipe.xdel(keys.raw, *(raw.id for raw in raws))
    for entry in entries:
        pipe.hdel(keys.verdicts(lane, entry.at // HOUR), entry.position)
    pipe.execute()
    return len(rows)


def _due(client: redis.Redis, keys: Keys, lane: Lane, before: int, max_entries: int) -> list[StreamRow]:
    """The oldest decided entries that are too old or too many."""
    decided = log.stream_id(cursor(client, keys).positions[lane])
    too_many = client.xlen(keys.log(lane)) - max_entries
    rows: list[StreamRow] = wire.call(client, "XRANGE", keys.log(lane), "-", decided, "COUNT", BATCH)
    return [row for place, row in enumerate(rows) if place < too_many or _ms(row[0]) < before]


def _ms(stream_id: bytes) -> int:
    return int(stream_id.partition(b"-")[0])


def _entry(lane: Lane, row: StreamRow) -> ArchivedEntry:
    stream_id, fields = row
    position = log.INITIALS[lane] + stream_id.decode()
    return ArchivedEntry(
        position=position,
        id=fields.get(b"i", position.encode()).decode(),
        lane=lane.value,
        at=_ms(stream_id),
        vendor_id=_vendor_id(fields[b"e"]),
        raw=fields.get(b"r", b"").decode(),
        entry=fields[b"e"],
    )


def _vendor_id(entry: bytes) -> str:
    try:
        found = decode_entry(entry)
    except ValueError:  # the fold set it aside as undecidable; here it is kept as it is
        return ""
    return found.event.vendor_id if isinstance(found, Signal) else ""


def _with_verdicts(client: redis.Redis, keys: Keys, entries: list[ArchivedEntry]) -> list[ArchivedEntry]:
    pipe = client.pipeline(transaction=False)
    for entry in entries:
        pipe.hget(keys.verdicts(entry.lane, entry.at // HOUR), entry.position)
    return [
        replace(entry, verdict=verdict or b"") for entry, verdict in zip(entries, pipe.execute(), strict=True)
    ]


def _raws(client: redis.Redis, keys: Keys, raw_ids: list[str]) -> list[ArchivedRaw]:
    """The bodies they came in. One that entries of two lanes share may be in the archive already."""
    found = ((raw_id, log.raw_body(client, keys, raw_id)) for raw_id in raw_ids)
    return [ArchivedRaw(raw_id, raw.source, raw.body, raw.headers) for raw_id, raw in found if raw]


def _sweep_incidents(client: redis.Redis, keys: Keys, archive: Archive) -> int:
    oldest: list[bytes] = wire.call(client, "ZRANGE", keys.retired, 0, INCIDENTS - 1)
    retired = [each.decode() for each in oldest]
    if not retired:
        return 0
    found = [_incident(client, keys, incident_id) for incident_id in retired]
    archive.put(incidents=[incident for incident in found if incident])
    reach("archive.copied")
    timers = _timers_of(client, keys, set(retired))
    pipe = client.pipeline(transaction=True)
    pipe.hdel(keys.state(Table.INCIDENT), *retired)
    pipe.delete(*(keys.owned(each, table) for each in retired for table in OWNED))
    pipe.delete(*(keys.timeline(each) for each in retired))
    if timers:
        pipe.hdel(keys.state(Table.TIMER), *timers)
        pipe.zrem(keys.timers, *timers)
    pipe.zrem(keys.retired, *retired)
    pipe.execute()
    return len(retired)


def _incident(client: redis.Redis, keys: Keys, incident_id: str) -> ArchivedIncident | None:
    """None when a sweep before this one was killed after it had begun to delete."""
    pipe = client.pipeline(transaction=True)
    pipe.hget(keys.state(Table.INCIDENT), incident_id)
    for table in OWNED:
        pipe.hgetall(keys.owned(incident_id, table))
    pipe.lrange(keys.timeline(incident_id), 0, -1)
    record, *owned, timeline = pipe.execute()
    if record is None:
        return None
    return ArchivedIncident(
        id=incident_id,
        number=decode(Incident, record).number,
        record=record,
        owned={
            table.value: {key.decode(): raw for key, raw in records.items()}
            for table, records in zip(OWNED, owned, strict=True)
        },
        timeline=tuple(timeline),
    )


def _timers_of(client: redis.Redis, keys: Keys, retired: set[str]) -> list[str]:
    """Timers left behind by incidents that need none any more."""
    timers: dict[bytes, bytes] = wire.call(client, "HGETALL", keys.state(Table.TIMER))
    return [key.decode() for key, raw in timers.items() if decode(Timer, raw).incident in retired]


def _sweep_batches(client: redis.Redis, keys: Keys, archive: Archive, before: int, max_entries: int) -> int:
    """What was decided together, as old as the entries that leave."""
    too_many = client.xlen(keys.batches) - max_entries
    rows: list[StreamRow] = wire.call(client, "XRANGE", keys.batches, "-", "+", "COUNT", BATCH)
    due = [row for place, row in enumerate(rows) if place < too_many or _ms(row[0]) < before]
    if not due:
        return 0
    archive.put(batches=[batch(row) for row in due])
    reach("archive.copied")
    client.xdel(keys.batches, *(at for at, _ in due))
    return len(due)


def batch(row: StreamRow) -> ArchivedBatch:
    """A batch as the stream has it."""
    (first, _, second), fields = (
        row[0].decode().partition("-"),
        {k.decode(): v.decode() for k, v in row[1].items()},
    )
    moved: dict[str, str] = {lane.value: fields[lane.value] for lane in Lane if lane.value in fields}
    return ArchivedBatch((int(first), int(second)), int(fields["at"]), fields.get("policy", ""), moved)


def _sweep_dead(client: redis.Redis, keys: Keys, archive: Archive, before: int) -> int:
    """Dead letters that were retried or dropped long enough ago."""
    settled: list[bytes] = wire.call(client, "ZDIFF", 2, keys.dead_index, keys.dead_waiting)
    if not settled:
        return 0
    records: list[bytes | None] = wire.call(client, "HMGET", keys.dead, *settled[:BATCH])
    old = {
        letter_id.decode(): record
        for letter_id, record in zip(settled, records, strict=False)
        if record and decode(dead.DeadLetter, record).changed_at < before
    }
    archive.put(dead=(ArchivedDead(letter_id, record) for letter_id, record in old.items()))
    return sum(_FORGET_DEAD.run(client, _dead_keys(keys), pair) for pair in old.items())


def _dead_keys(keys: Keys) -> tuple[str, ...]:
    return keys.dead, keys.dead_index, keys.dead_waiting, keys.dead_seen
