"""Fifty people look on while a storm is decided: what of it dispatch notices, and what the console needs for it."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import load
import machine
import shapes
import storming
import whole
from rows import Row, at_most
from seeing import Seen, site
from stage import Stage, free_port, until
from storming import Probes
from viewers import Crowd, Looks

from console.trust.acts import Role

VIEWERS = 50
MANY = 30_000
PAGES = (
    ("/", "now"), ("/", "now"), ("/", "now"), ("/incidents/INC-2", "INC-2"), ("/incidents/INC-2", "INC-2"),
    ("/incidents", "now"),
)  # fmt: skip
"""What they have open: half of them Now, a third the storm's incident, the others the list of all."""
TURNS = 6
"""Storms without viewers, and as many with them, in the order ABBA: what grows from storm to storm hits both alike."""
PROBE_S = 0.1
RESAMPLED, SURE = 1_000, 0.9
"""A ratio is quoted with where it lies in so much of so many samples drawn anew from what was measured."""

Turns = list[list[float]]
"""Seconds that each probe took, by turn."""


@dataclass
class Side:
    """What the turns of one side brought; `busy` the share of a core the console took, `memory` MB at their ends."""

    turns: list[Probes] = field(default_factory=list)
    pace: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    looks: Looks = field(default_factory=Looks)

    @property
    def outages(self) -> Turns:
        """By turn."""
        return [each.outages for each in self.turns]

    @property
    def acks(self) -> Turns:
        """By turn."""
        return [each.acks for each in self.turns]

    def p99(self) -> float:
        return _percentile(self.outages, 99)

    def told(self) -> str:
        """The other numbers of it, in words."""
        p50, acks = _percentile(self.outages, 50), _percentile(self.acks, 99)
        pace = sum(self.pace) / len(self.pace)
        return f"p50 {p50:.0f} ms, {sum(map(len, self.outages))} of them, ack p99 {acks:.0f} ms, {pace:,.0f}/s decided"


def rows(room: Path) -> Iterator[Row]:
    port = free_port()
    environ = {"TOCSIN_CONSOLE": "on", "TOCSIN_CONSOLE_PORT": str(port)}
    with whole.town(room, environ) as town:
        people = Seen("", site("", town.data_dir))
        watched_pages = [
            (people.session(f"viewer-{number}", Role.RESPONDER), *PAGES[number % len(PAGES)])
            for number in range(VIEWERS)
        ]
        whole.await_decided(town, whole.outage(town, "before"))
        _storm(town, Side(), "warm")
        alone, watched = Side(), Side()
        for turn in range(TURNS):
            for looked_on in (False, True) if turn % 2 == 0 else (True, False):
                if not looked_on:
                    _storm(town, alone, f"alone-{turn}")
                    continue
                crowd = Crowd(port, watched_pages)
                time.sleep(2)  # all of them have come by then
                _storm(town, watched, f"watched-{turn}")
                _add(watched.looks, crowd.leave())
        yield from _told(alone, watched)


def _storm(town: Stage, side: Side, name: str) -> None:
    file, token = town.room / f"{name}.bin", town.env["TOCSIN_ALERTS_TOKEN"]
    body = shapes.alert_request(shapes.alert("HighLatency", "i", "search"), token)
    load.write_requests(file, (body for _ in range(MANY)))
    over, pid, probes = threading.Event(), town.children()["console"], Probes()
    watching = threading.Thread(target=storming.probe, args=(town, probes, over, name, PROBE_S))
    began, busy = time.perf_counter(), machine.processor_s(pid)
    watching.start()
    load.elsewhere(town.port, file, 64, None, 600).sound()
    until(lambda: storming.decided(town), 300)
    took = time.perf_counter() - began
    over.set()
    watching.join()
    file.unlink()
    side.turns.append(probes)
    side.pace.append(MANY / took)
    side.busy.append((machine.processor_s(pid) - busy) / took)
    side.memory.append(machine.resident_mb(pid))


def _add(all_of_them: Looks, some: Looks) -> None:
    all_of_them.took += some.took
    all_of_them.told += some.told
    all_of_them.failed += some.failed


def _compared(alone: Side, watched: Side) -> Row:
    """How much longer it takes where people look on: what else the machine does meanwhile hits both sides."""
    low, p50, high = _ratio(alone.outages, watched.outages, 50)
    pace = [there / here for here, there in zip(alone.pace, watched.pace, strict=True)]
    more = [
        f"{low:.2f} to {high:.2f}", _in_words("p99", _ratio(alone.outages, watched.outages, 99)),
        _in_words("ack p50", _ratio(alone.acks, watched.acks, 50)),
        f"decided {sum(pace) / len(pace):.2f} x, by turn {min(pace):.2f} to {max(pace):.2f}",
    ]  # fmt: skip
    return at_most(f"... p50 where {VIEWERS} look on, against nobody", p50, " x", 1.25, 1.05, "; ".join(more))


def _in_words(what: str, ratio: tuple[float, float, float]) -> str:
    low, found, high = ratio
    return f"{what} {found:.2f} x, {low:.2f} to {high:.2f}"


def _ratio(alone: Turns, watched: Turns, rank: int) -> tuple[float, float, float]:
    """Of a percentile: its lower bound, itself, its upper bound.

    What is drawn are pairs of turns, one of each side: what is near in time is alike.
    """
    draw = random.Random(1)  # the same measurements give the same bounds  # noqa: S311
    numbers = range(len(alone))

    def ratio(chosen: Sequence[int]) -> float:
        return _percentile([watched[at] for at in chosen], rank) / _percentile(
            [alone[at] for at in chosen], rank
        )

    drawn = sorted(ratio(draw.choices(numbers, k=len(numbers))) for _ in range(RESAMPLED))
    beyond = int(RESAMPLED * (1 - SURE) / 2)
    return drawn[beyond], ratio(numbers), drawn[-1 - beyond]


def _percentile(turns: Turns, rank: int) -> float:
    return load.percentile(list(chain.from_iterable(turns)), rank)


def _told(alone: Side, watched: Side) -> Iterator[Row]:
    storm = f"storm of {MANY:,}: SEV-0 decided and dispatched after the 202, p99,"
    yield at_most(f"{storm} nobody looks on", alone.p99(), " ms", 500, 100, alone.told())
    yield at_most(f"{storm} {VIEWERS} look on", watched.p99(), " ms", 500, 100, watched.told())
    yield _compared(alone, watched)
    looks, most = watched.looks, max(watched.memory)
    busy = (
        f"{100 * max(alone.busy):.0f} % of a core when nobody looks on, {100 * max(watched.busy):.0f} % then"
    )
    yield at_most(
        f"... the console's memory with {VIEWERS} viewers", most, " MB", 200, 150,
        f"{max(alone.memory):.0f} MB when nobody looks on; {busy}",
    )  # fmt: skip
    took = sorted(looks.took)
    p95 = took[int(len(took) * 0.95)] if took else 0
    yield Row(
        f"... what {VIEWERS} viewers got",
        f"{looks.told:,} times told of news, {len(took):,} looks, p95 {p95:,.0f} ms, {looks.failed} failed",
        "0 failed", "", looks.failed == 0,
    )  # fmt: skip
