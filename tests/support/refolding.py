"""Simulate a whole log again, store what it decides in a partition of its own, and compare byte by byte."""

from collections.abc import Callable, Iterator
from typing import Any

from redis import Redis

from ledger import wire
from ledger.commit import commit
from ledger.keys import Keys
from ledger.lease import Lease
from ledger.views import history
from ledger.views.store import Store
from routing.effect import AnyEffect
from routing.entry import AnyEntry, PolicySet, decode_entry
from routing.policy import Policy
from routing.simulation import Simulation

FOLDED = (
    "state:*", "incident:*", "timers", "outbox", "verdicts:*", "retired", "kill",
)  # fmt: skip
"""What commits alone write. Claims, dead letters, raw bodies and counters have other writers too."""


def refold(store: Store, into: Keys, policy_of: Callable[[str], Policy]) -> int:
    """Decide every entry again, batch by batch, as recorded. Returns how many there were."""
    lease = Lease(store.client, into, ttl_ms=600_000)
    fence, simulation, count = lease.acquire(), None, 0
    assert fence is not None
    for batch in history.batches(store):
        decided = []
        for each in batch:
            entry = decode_entry(each.raw)
            simulation = simulation or Simulation(policy_of(each.policy), each.at, _nobody, keep=False)
            if isinstance(entry, PolicySet):
                simulation.policy = policy_of(entry.version)
            simulation.now = each.at
            decided.append((each.lane, each.position, simulation.feed(entry, each.position)))
        cursor = {lane: position for lane, position, _ in decided}
        commit(store.client, into, fence, decided, cursor, lambda _pipe, _effects: None, batch[0].at)
        count += len(batch)
    lease.release()
    return count


def _nobody(_effect: AnyEffect, _now: int) -> list[tuple[int, AnyEntry]]:
    """Whatever the world answered is in the log already."""
    return []


def differences(client: Redis, first: Keys, second: Keys) -> list[str]:
    """Keys, without their partition, of which the two partitions hold other values."""
    a, b = dict(_values(client, first)), dict(_values(client, second))
    return sorted(name for name in {*a, *b} if a.get(name) != b.get(name))


def _values(client: Redis, keys: Keys) -> Iterator[tuple[str, Any]]:
    prefix = keys.all.removesuffix("*")
    for pattern in FOLDED:
        for raw in wire.call(client, "KEYS", prefix + pattern):
            name = raw.decode()
            yield name.removeprefix(prefix), _value(client, name)


def _value(client: Redis, name: str) -> Any:
    kind = wire.call(client, "TYPE", name)
    if kind == b"hash":
        return wire.call(client, "HGETALL", name)
    if kind == b"zset":
        return wire.call(client, "ZRANGE", name, 0, -1, "WITHSCORES")
    return wire.call(client, "LRANGE", name, 0, -1) if kind == b"list" else wire.call(client, "GET", name)
