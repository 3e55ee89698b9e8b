"""Commit: what a batch of decisions changes becomes true in one transaction, or not at all."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import msgspec
import redis
from redis.client import Pipeline
from redis.exceptions import WatchError

from ledger import dead
from ledger.keys import Keys
from ledger.log import Position, instant_of
from ledger.tables import place
from routing.decision import Bury, Change, Decision, Drop, Note, Put, Retire, Table, Withdraw
from routing.effect import AnyEffect
from routing.entry import Lane, SwitchSet
from routing.errors import TocsinError
from routing.record import Record
from routing.timer import Timer

Enqueue = Callable[[Pipeline, list[AnyEffect]], None]
"""Queues the effects' jobs on the transaction it is given, and executes nothing itself."""

_HOUR_MS = 3_600_000
_KILL = "kill"

_encode = msgspec.json.Encoder().encode


class FenceLost(TocsinError):
    """Somebody else has taken over: nothing of the batch was written, and what is cached is worth nothing."""


class Batch:
    """The decisions of one batch, collapsed: of several changes of one record only the last is written."""

    def __init__(self, decided: Sequence[tuple[Lane, Position, Decision]]) -> None:
        self.records: dict[tuple[Table, str, str], Record | None] = {}
        """(table, owner, key) -> the record, None when it goes."""
        self.timers: dict[str, int | None] = {}
        self.notes: defaultdict[str, list[bytes]] = defaultdict(list)
        self.effects: dict[str, AnyEffect] = {}
        self.withdrawn: dict[str, None] = {}
        self.retired: dict[str, None] = {}
        self.buried: list[Bury] = []
        self.verdicts: defaultdict[tuple[Lane, int], dict[str, bytes]] = defaultdict(dict)
        self.switch: SwitchSet | None = None
        for lane, entry_id, decision in decided:
            for change in decision.changes:
                self._add(change)
            for effect in decision.effects:
                self.effects[effect.id] = effect
            if decision.verdict is not None:
                hour = instant_of(entry_id) // _HOUR_MS
                self.verdicts[lane, hour][entry_id] = _encode(decision.verdict)

    def _add(self, change: Change) -> None:
        match change:
            case Put(table, key, record, incident):
                self._put(table, key, record, incident)
            case Drop(table, key, incident):
                self._drop(table, key, incident)
            case Note(incident, moment):
                self.notes[incident].append(_encode(moment))
            case Withdraw(effect):
                self.effects.pop(effect, None)
                self.withdrawn[effect] = None
            case Retire(incident):
                self.retired[incident] = None
            case Bury():
                self.buried.append(change)

    def _put(self, table: Table, key: str, record: Record, incident: str) -> None:
        self.records[table, incident, key] = record
        if isinstance(record, Timer):
            self.timers[key] = record.at
        elif isinstance(record, SwitchSet) and record.name == _KILL:
            self.switch = record

    def _drop(self, table: Table, key: str, incident: str) -> None:
        self.records[table, incident, key] = None
        if table is Table.TIMER:
            self.timers[key] = None
        elif table is Table.SWITCH and key == _KILL:
            self.switch = SwitchSet(at=0, name=_KILL, on=False)


def commit(
    client: redis.Redis,
    keys: Keys,
    fence: int,
    batch: Sequence[tuple[Lane, Position, Decision]],
    cursor: Mapping[Lane, Position],
    enqueue: Enqueue,
    now: int,
    *,
    policy: str = "",
) -> None:
    """Make a batch of decisions true and move the cursor behind it.

    `cursor`: the last decided position of each lane that moved. Raises FenceLost when the lease's fence is
    not `fence` any more; nothing was written then. Any other error, a timeout's exception landing mid-way
    included, leaves it unknown whether the batch was written: drop the cached state, read the cursor again.
    """
    collapsed = Batch(batch)
    pipe = client.pipeline(transaction=True)
    try:
        _guard(pipe, keys, fence)
        _write(pipe, keys, collapsed, now)
        _move(pipe, keys, cursor, len(batch), now, policy)
        if collapsed.effects:
            enqueue(pipe, list(collapsed.effects.values()))
        pipe.execute()
    except WatchError as error:
        if isinstance(error.__cause__ or error.__context__, redis.RedisError):
            raise error.__cause__ or error.__context__  # type: ignore[misc]  # narrowed just above
        raise FenceLost("another dispatcher has taken over") from error
    except BaseException:
        _forget_connection(pipe)
        raise
    finally:
        pipe.reset()


def _guard(pipe: Pipeline, keys: Keys, fence: int) -> None:
    """From here on the transaction fails if the fence moves."""
    pipe.watch(keys.fence)
    found = pipe.get(keys.fence)
    if int(found or 0) != fence:  # type: ignore[arg-type]  # watching: commands answer at once
        raise FenceLost(f"the fence is {int(found or 0)}, not {fence}: another dispatcher has taken over")  # type: ignore[arg-type]
    pipe.multi()


def _write(pipe: Pipeline, keys: Keys, batch: Batch, now: int) -> None:
    _write_records(pipe, keys, batch)
    _write_timers(pipe, keys, batch)
    for incident, moments in batch.notes.items():
        pipe.rpush(keys.timeline(incident), *moments)
    if batch.withdrawn:
        pipe.hdel(keys.outbox, *batch.withdrawn)
        pipe.hdel(keys.claims, *batch.withdrawn)
    if batch.effects:
        _hset(pipe, keys.outbox, {name: _encode(effect) for name, effect in batch.effects.items()})
    for (lane, hour), verdicts in batch.verdicts.items():
        _hset(pipe, keys.verdicts(lane, hour), verdicts)
    if batch.retired:
        pipe.zadd(keys.retired, dict.fromkeys(batch.retired, now))
    for bury in batch.buried:
        dead.bury(pipe, keys, _letter(bury, now))


def _write_records(pipe: Pipeline, keys: Keys, batch: Batch) -> None:
    puts: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
    drops: defaultdict[str, list[str]] = defaultdict(list)
    for (table, incident, key), record in batch.records.items():
        where = place(keys, table, incident)
        if record is None:
            drops[where].append(key)
        else:
            puts[where][key] = _encode(record)
    for where, fields in puts.items():
        _hset(pipe, where, fields)
    for where, names in drops.items():
        pipe.hdel(where, *names)
    if batch.switch is not None:
        if batch.switch.on:
            pipe.set(keys.kill, _encode(batch.switch))
        else:
            pipe.delete(keys.kill)


def _write_timers(pipe: Pipeline, keys: Keys, batch: Batch) -> None:
    due = {key: at for key, at in batch.timers.items() if at is not None}
    gone = [key for key, at in batch.timers.items() if at is None]
    if due:
        pipe.zadd(keys.timers, due)
    if gone:
        pipe.zrem(keys.timers, *gone)


def _move(
    pipe: Pipeline, keys: Keys, cursor: Mapping[Lane, Position], decided: int, now: int, policy: str
) -> None:
    fields = {lane.value: position for lane, position in cursor.items()} | {"decided_at": str(now)}
    if policy:
        fields["policy"] = policy
    _hset(pipe, keys.cursor, fields)
    if decided:
        pipe.hincrby(keys.cursor, "decided", decided)


def _hset(pipe: Pipeline, where: str, fields: Mapping[str, bytes | str]) -> None:
    flat = [part for pair in fields.items() for part in pair]
    pipe.execute_command("HSET", where, *flat)


def _letter(bury: Bury, now: int) -> dead.DeadLetter:
    kind = dead.Kind(bury.kind)
    lines = bury.error.strip().splitlines() or [""]
    return dead.DeadLetter(
        id=dead.dead_id(kind, bury.subject),
        kind=kind,
        at=now,
        why=lines[-1].strip(),
        traceback=bury.error if len(lines) > 1 else "",
        raw=bury.raw,
        incident=bury.incident,
        subject=bury.subject,
    )


def _forget_connection(pipe: Pipeline) -> None:
    """A reply may still be under way on it; the next command would take it for its own."""
    with suppress(Exception):
        if pipe.connection is not None:
            pipe.connection.disconnect()
