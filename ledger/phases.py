"""Which incidents are open, by phase: so that nobody reads all that were ever closed to find them."""

from collections import defaultdict
from collections.abc import Iterable

import redis
from redis.client import Pipeline

from ledger import wire
from ledger.keys import Keys
from ledger.wire import text
from routing.incident import Incident, Phase
from routing.record import Record

OPEN = (Phase.TRIGGERED, Phase.ACKNOWLEDGED)


def move(pipe: Pipeline, keys: Keys, incidents: Iterable[Incident]) -> None:
    """Queue where each of them stands now on a transaction."""
    into: defaultdict[Phase, list[int | str]] = defaultdict(list)
    out: defaultdict[Phase, list[str]] = defaultdict(list)
    for incident in incidents:
        for phase in OPEN:
            if incident.phase is phase:
                into[phase] += incident.number, incident.id
            else:
                out[phase].append(incident.id)
    for phase, pairs in into.items():
        wire.queue(pipe, "ZADD", keys.in_phase(phase), *pairs)
    for phase, ids in out.items():
        wire.queue(pipe, "ZREM", keys.in_phase(phase), *ids)


def mend(client: redis.Redis, keys: Keys, fence: int, incidents: Iterable[Record]) -> None:
    """Write it anew from the state's table, under this fence or not at all: an older release kept none."""
    pipe = client.pipeline(transaction=True)
    if int(wire.watch(pipe, keys.fence) or 0) != fence:
        pipe.reset()
        return
    wire.queue(pipe, "DEL", *(keys.in_phase(phase) for phase in OPEN))
    move(pipe, keys, (each for each in incidents if isinstance(each, Incident) and each.phase in OPEN))
    try:
        pipe.execute()
    except redis.WatchError:
        return


def counts(client: redis.Redis, keys: Keys) -> dict[Phase, int]:
    """How many are in each phase that is not over."""
    pipe = client.pipeline(transaction=False)
    for phase in OPEN:
        pipe.zcard(keys.in_phase(phase))
    return dict(zip(OPEN, pipe.execute(), strict=True))


def newest(
    client: redis.Redis, keys: Keys, phases: Iterable[Phase], below: int, most: int
) -> list[tuple[int, str]]:
    """(number, id) of open incidents in these phases, newest first; numbers below `below` if not 0."""
    pipe = client.pipeline(transaction=False)
    for phase in phases:
        end = f"({below}" if below else "+inf"
        wire.queue(
            pipe, "ZREVRANGEBYSCORE", keys.in_phase(phase), end, "-inf", "WITHSCORES", "LIMIT", 0, most
        )
    found = {text(name): int(text(number)) for page in pipe.execute() for name, number in _pairs(page)}
    return sorted(((number, name) for name, number in found.items()), reverse=True)[:most]


def _pairs(flat: list[bytes]) -> Iterable[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)
