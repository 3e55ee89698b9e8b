"""What a commit writes where: records, timelines, timers, outbox, verdicts, dead letters, and the cursor."""

from collections import defaultdict
from collections.abc import Collection, Mapping

import msgspec
from redis.client import Pipeline

from ledger import dead, phases, wire
from ledger.collapse import Collapsed
from ledger.keys import Keys
from ledger.position import Position
from ledger.tables import OWNED, place
from routing.decision import Table
from routing.entry import Lane, SwitchSet
from routing.incident import Incident

_encode = msgspec.json.Encoder().encode


def write(pipe: Pipeline, keys: Keys, batch: Collapsed, now: int) -> None:
    """Queue what is left of a batch of decisions, decided at `now` (ms)."""
    _write_records(pipe, keys, batch)
    _write_timers(pipe, keys, batch)
    _write_effects(pipe, keys, batch)
    for incident, moments in batch.notes.items():
        wire.queue(pipe, "RPUSH", keys.timeline(incident), *moments)
    for (lane, hour), verdicts in batch.verdicts.items():
        _hset(pipe, keys.verdicts(lane, hour), verdicts)
    if batch.retired:
        pipe.zadd(keys.retired, dict.fromkeys(batch.retired, now))
    for bury in batch.buried:
        kind = dead.Kind(bury.kind)
        letter = dead.given_up(kind, bury.subject, bury.incident, bury.error, bury.raw, now)
        dead.bury(pipe, keys, letter)


def _write_records(pipe: Pipeline, keys: Keys, batch: Collapsed) -> None:
    puts: defaultdict[tuple[Table, str], list[bytes | str]] = defaultdict(list)
    drops: defaultdict[tuple[Table, str], list[str]] = defaultdict(list)
    incidents = [record for record in batch.records.values() if isinstance(record, Incident)]
    for (table, incident, key), record in batch.records.items():
        owner = (table, incident if table in OWNED else "")
        if record is None:
            drops[owner].append(key)
        else:
            puts[owner] += key, _encode(record)
    for (table, incident), fields in puts.items():
        wire.queue(pipe, "HSET", place(keys, table, incident), *fields)
    for (table, incident), names in drops.items():
        wire.queue(pipe, "HDEL", place(keys, table, incident), *names)
    phases.move(pipe, keys, incidents)
    if batch.kill is not None:
        _write_kill(pipe, keys, batch.kill)


def _write_kill(pipe: Pipeline, keys: Keys, switch: SwitchSet) -> None:
    """Mirrored in a key of its own: workers ask for it right before each mutating call."""
    if switch.on:
        pipe.set(keys.kill, _encode(switch))
    else:
        pipe.delete(keys.kill)


def _write_timers(pipe: Pipeline, keys: Keys, batch: Collapsed) -> None:
    due = [part for key, at in batch.timers.items() if at is not None for part in (at, key)]
    gone = [key for key, at in batch.timers.items() if at is None]
    if due:
        wire.queue(pipe, "ZADD", keys.timers, *due)
    if gone:
        wire.queue(pipe, "ZREM", keys.timers, *gone)


def _write_effects(pipe: Pipeline, keys: Keys, batch: Collapsed) -> None:
    """A withdrawn effect's claim goes with it, so that one wanted again can be claimed again."""
    if batch.withdrawn:
        wire.queue(pipe, "HDEL", keys.claims, *batch.withdrawn)
    gone = [effect for effect in batch.withdrawn if effect not in batch.effects]
    if gone:
        wire.queue(pipe, "HDEL", keys.outbox, *gone)
    if batch.effects:
        _hset(pipe, keys.outbox, {name: _encode(effect) for name, effect in batch.effects.items()})


def move(
    pipe: Pipeline,
    keys: Keys,
    cursor: Mapping[Lane, Position],
    decided: int,
    now: int,
    policy: str,
    touched: Collection[str] = (),
) -> None:
    """Queue the cursor's move behind a batch of so many entries. `touched`: incidents with something new."""
    moved = {lane.value: at for lane, at in cursor.items()}
    deciding = {"policy": policy} if policy else {}
    _hset(pipe, keys.cursor, {**moved, "decided_at": str(now), **deciding})
    if decided:
        pipe.hincrby(keys.cursor, "decided", decided)
        # What was decided together, and when: with it history replays exactly as it was.
        batch = {"at": str(now), **deciding, **moved}
        if touched:
            batch["incidents"] = " ".join(touched)
        wire.queue(pipe, "XADD", keys.batches, "*", *(part for pair in batch.items() for part in pair))


def _hset(pipe: Pipeline, where: str, fields: Mapping[str, bytes | str]) -> None:
    wire.queue(pipe, "HSET", where, *(part for pair in fields.items() for part in pair))
