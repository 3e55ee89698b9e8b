"""Storms of 100,000 events through the whole system, with outages, acks and timers in the middle of them."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import load
import shapes
import whole
from rows import Row, at_most
from stage import Stage, until
from timing import lateness, set_timers

from ledger import wire
from ledger.clock import now_ms
from ledger.log import append
from ledger.state import load_state
from routing.decision import Table
from routing.entry import Command, Lane, Verb
from routing.incident import Incident

MANY = 100_000
PROBE_S = 0.25


@dataclass(slots=True)
class Probes:
    """Seconds each outage, and each ack, took from its 202 until it was decided and dispatched."""

    outages: list[float] = field(default_factory=list)
    acks: list[float] = field(default_factory=list)


def rows(room: Path) -> Iterator[Row]:
    for name, instance in (("one fingerprint", "i"), ("100,000 fingerprints in one group", "i{}")):
        place = room / name.replace(" ", "-")
        place.mkdir()
        with whole.town(place) as town:
            yield from storm(town, place, name, instance)


def storm(town: Stage, room: Path, name: str, instance: str) -> Iterator[Row]:
    file, token = room / "requests.bin", town.env["TOCSIN_ALERTS_TOKEN"]
    load.write_requests(
        file,
        (
            shapes.alert_request(shapes.alert("HighLatency", instance.format(n), "search"), token)
            for n in range(MANY)
        ),
    )
    # It is INC-1, which the probes acknowledge: nobody is paged for what somebody has taken already.
    whole.await_decided(town, whole.outage(town, "before"))
    probes, over, memory = Probes(), threading.Event(), [used(town)]
    began = time.perf_counter()
    timers = set_timers(town, 300, 15.0)
    watching = threading.Thread(target=probe, args=(town, probes, over))
    weighing = threading.Thread(target=weigh, args=(town, memory, over))
    watching.start()
    weighing.start()
    sent = load.elsewhere(town.port, file, 64, None, 600).sound()
    until(lambda: decided(town), 300)
    took = time.perf_counter() - began
    over.set()
    watching.join()
    weighing.join()
    yield judge(town, name, sent, took)
    yield Row(f"storm of {name}: bytes kept per event", weight(town, memory))
    yield from answers(name, probes)
    late = lateness(town, timers)
    yield at_most(f"storm of {name}: timers late", load.percentile(late, 99), " ms", 500, 100, "p99")
    yield Row(f"storm of {name}: memory afterwards, MB", whole.memory(town))


def judge(town: Stage, name: str, sent: load.Load, took: float) -> Row:
    """One incident, one page, nothing lost: counted where a person would look."""
    known = load_state(town.redis, town.keys).tables[Table.INCIDENT].values()
    found = [each for each in known if isinstance(each, Incident) and each.service == "search"]
    events, paged = sum(each.events for each in found), sum(len(each.paged) for each in found)
    words = f"{len(found)} incident, {paged} person paged, {MANY - events} of {sent.sent:,} lost"
    pace = f"taken at {sent.per_s:,.0f}/s, all decided after {took:.0f} s"
    good = (len(found), paged, events) == (1, 1, MANY)
    return Row(f"storm of {name}", f"{words}; {pace}", "1 incident, 1 page, 0 lost", "", good)


def answers(name: str, probes: Probes) -> Iterator[Row]:
    for what, took in (("SEV-0", probes.outages), ("ack", probes.acks)):
        p99 = load.percentile(took, 99)
        more = f"p50 {load.percentile(took, 50):.0f} ms, {len(took)} of them"
        yield at_most(
            f"storm of {name}: {what} decided and dispatched after the 202, p99", p99, " ms", 500, 100, more
        )


def probe(
    town: Stage, probes: Probes, over: threading.Event, name: str = "outage", every_s: float = PROBE_S
) -> None:
    """An outage of a new service, and somebody acknowledging something, again and again."""
    number = 0
    while not over.wait(every_s):
        number += 1
        probes.outages.append(whole.await_decided(town, whole.outage(town, f"{name}-{number}")))
        ack = Command(at=now_ms(), by="bench", incident="INC-1", verb=Verb.ACK)
        probes.acks.append(whole.await_decided(town, append(town.redis, town.keys, Lane.CONTROL, ack)))


def decided(town: Stage) -> bool:
    """Nothing of the bulk lane waits any more."""
    last = wire.call(town.redis, "XREVRANGE", town.keys.log(Lane.BULK), "+", "-", "COUNT", 1)
    return bool(last) and whole.cursor(town, Lane.BULK) >= whole.order(wire.text(last[0][0]))


def weigh(town: Stage, memory: list[int], over: threading.Event) -> None:
    while not over.wait(0.2):
        memory.append(used(town))


def used(town: Stage) -> int:
    return int(town.redis.info("memory")["used_memory"])


def weight(town: Stage, memory: list[int]) -> str:
    """Growth of the store per event, and what of it is kept for each event until it is archived."""
    keys, sizes = town.keys, {"body": 0, "entry": 0, "verdict": 0}
    for key in town.redis.scan_iter(match=keys.all, count=1000):
        what = {keys.raw: "body", keys.log(Lane.BULK): "entry"}.get(key.decode())
        what = what or ("verdict" if b":verdicts:bulk:" in key else "")
        if what:
            sizes[what] += wire.call(town.redis, "MEMORY", "USAGE", key)
    parts = ", ".join(f"{what} {size / MANY:,.0f}" for what, size in sizes.items())
    return f"{(memory[-1] - memory[0]) / MANY:,.0f}, of which {parts}"
