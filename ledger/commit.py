"""Commit: what a batch of decisions changes becomes true in one transaction, or not at all."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import msgspec
import redis
from redis.client import Pipeline
from redis.exceptions import WatchError

from ledger import dead, wire
from ledger.collapse import Collapsed
from ledger.keys import Keys
from ledger.position import Position
from ledger.tables import place
from routing.decision import Decision
from routing.effect import AnyEffect
from routing.entry import Lane, SwitchSet
from routing.errors import TocsinError

Enqueue = Callable[[Pipeline, list[AnyEffect]], None]
"""Queues the effects' jobs on the transaction it is given, and executes nothing itself."""

_encode = msgspec.json.Encoder().encode


class FenceLost(TocsinError):
    """Somebody else has taken over: what is cached is worth nothing."""


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

    `cursor`: the last decided position of each lane that moved. `policy`: the version that decided. Raises
    FenceLost when the lease's fence is not `fence` any more. Any other error, also one that lands here from
    outside (a job's timeout), leaves unknown whether the batch was written: drop the cached state, read the
    cursor again.
    """
    collapsed = Collapsed(batch)
    pipe = client.pipeline(transaction=True)
    try:
        _guard(fence, wire.watch(pipe, keys.fence))
        _write(pipe, keys, collapsed, now)
        _move(pipe, keys, cursor, len(batch), now, policy)
        if collapsed.effects:
            enqueue(pipe, list(collapsed.effects.values()))
        pipe.execute()
    except WatchError as error:
        # The client library also says this when the connection broke; only the fence itself knows.
        wire.hang_up(pipe)
        _guard(fence, client.get(keys.fence))
        raise redis.ConnectionError("the connection broke during a commit: unknown if it was made") from error
    except BaseException:
        wire.hang_up(pipe)
        raise
    finally:
        pipe.reset()


def _guard(fence: int, found: bytes | str | None) -> None:
    if int(found or 0) != fence:
        raise FenceLost(f"the fence is {int(found or 0)} and not {fence}: another dispatcher has taken over")


def _write(pipe: Pipeline, keys: Keys, batch: Collapsed, now: int) -> None:
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
    puts: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
    drops: defaultdict[str, list[str]] = defaultdict(list)
    for (table, incident, key), record in batch.records.items():
        if record is None:
            drops[place(keys, table, incident)].append(key)
        else:
            puts[place(keys, table, incident)][key] = _encode(record)
    for where, fields in puts.items():
        _hset(pipe, where, fields)
    for where, names in drops.items():
        wire.queue(pipe, "HDEL", where, *names)
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


def _move(
    pipe: Pipeline, keys: Keys, cursor: Mapping[Lane, Position], decided: int, now: int, policy: str
) -> None:
    moved = {lane.value: at for lane, at in cursor.items()}
    deciding = {"policy": policy} if policy else {}
    _hset(pipe, keys.cursor, {**moved, "decided_at": str(now), **deciding})
    if decided:
        pipe.hincrby(keys.cursor, "decided", decided)
        # What was decided together, and when: with it history replays exactly as it was.
        batch = {"at": str(now), **deciding, **moved}
        wire.queue(pipe, "XADD", keys.batches, "*", *(part for pair in batch.items() for part in pair))


def _hset(pipe: Pipeline, where: str, fields: Mapping[str, bytes | str]) -> None:
    wire.queue(pipe, "HSET", where, *(part for pair in fields.items() for part in pair))
