"""The state of the whole machine as Redis has it, read in one round trip (two, with the oldest entries)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import redis.asyncio

from ledger import wire
from ledger.keys import Keys
from ledger.log import START, instant_of, stream_id
from routing.decision import Table
from routing.entry import Lane

_MOST_INCIDENTS = 10_000
"""More live ones than this are not looked at one by one."""


class _Phase(msgspec.Struct):
    phase: str


_decoder = msgspec.json.Decoder(_Phase)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`undecided_ms`: age of the oldest undecided entry by lane. `silent_ms`: by process."""

    lengths: Mapping[str, int]
    undecided_ms: Mapping[str, int]
    incidents: Mapping[str, int]
    silent_ms: Mapping[str, int]
    counters: Mapping[str, int]
    decided: int
    dead: int
    outbox: int
    timers: int
    overdue: int
    memory: int
    memory_limit: int


async def look(client: redis.asyncio.Redis, keys: Keys, now: int) -> Snapshot:
    """Raises redis.RedisError."""
    pipe = client.pipeline(transaction=False)
    for lane in Lane:
        pipe.xlen(keys.log(lane))
    pipe.hgetall(keys.cursor)
    pipe.hlen(keys.state(Table.INCIDENT))
    pipe.hgetall(keys.pulse)
    pipe.hgetall(keys.metrics)
    pipe.scard(keys.dead_waiting)
    pipe.hlen(keys.outbox)
    pipe.zcard(keys.timers)
    pipe.zcount(keys.timers, 0, now - 1000)
    pipe.info("memory")
    *lengths, cursor, live, pulse, counters, dead, outbox, timers, overdue, memory = await pipe.execute()
    reached = {lane: _text(cursor.get(lane.encode(), START)) for lane in Lane}
    return Snapshot(
        lengths={lane.value: length for lane, length in zip(Lane, lengths, strict=True)},
        undecided_ms=await _undecided(client, keys, reached, now),
        incidents=await _incidents(client, keys, live),
        silent_ms={_text(name): max(0, now - _number(at)) for name, at in pulse.items()},
        counters={_text(name): _number(value) for name, value in counters.items()},
        decided=_number(cursor.get(b"decided", 0)),
        dead=dead,
        outbox=outbox,
        timers=timers,
        overdue=overdue,
        memory=_number(memory.get("used_memory", 0)),
        memory_limit=_number(memory.get("maxmemory", 0)),
    )


async def _undecided(
    client: redis.asyncio.Redis, keys: Keys, reached: Mapping[Lane, str], now: int
) -> dict[str, int]:
    pipe = client.pipeline(transaction=False)
    for lane, position in reached.items():
        pipe.xrange(keys.log(lane), f"({stream_id(position)}", "+", count=1)
    found = await pipe.execute()
    return {
        lane.value: max(0, now - instant_of(_text(entries[0][0]))) if entries else 0
        for lane, entries in zip(reached, found, strict=True)
    }


async def _incidents(client: redis.asyncio.Redis, keys: Keys, live: int) -> dict[str, int]:
    if live > _MOST_INCIDENTS:
        return {"live": live}
    records = await wire.call_async(client, "HVALS", keys.state(Table.INCIDENT))
    return dict(Counter(_decoder.decode(record).phase for record in records))


def _number(value: Any) -> int:
    try:
        return int(float(value))
    except ValueError:
        return 0


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
