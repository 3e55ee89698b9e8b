"""What one entry costs does not grow with what its incident has been through: weeks of it may hold thousands of messages."""

import sys
from collections.abc import Callable
from dataclasses import replace
from types import FrameType

import pytest
from small_policy import POLICY, START, firing, resolved
from telling import do, only, simulate

from routing.decide import decide
from routing.entry import AnyEntry, Command, Delivered, Outcome, TimerDue, Verb
from routing.instant import MINUTE
from routing.simulation import Simulation
from routing.timer import Wake

FEW, MANY = 30, 600
CALM = replace(POLICY, runbooks=(), limits={})


def lived_through(updates: int) -> Simulation:
    """An incident of which people were told so often; nobody has it now."""
    sim = simulate(CALM)
    sim.feed(firing("site-down", at=START))
    for _ in range(updates):
        do(sim, Verb.STATUS, text="looking")
    sim.pass_time(START + MINUTE)
    assert only(sim).deliveries > updates
    return sim


def calls(sim: Simulation, entry: AnyEntry) -> int:
    """How many functions of ours deciding it calls. Not a time: that would depend on the machine."""
    count = 0

    def note(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        decide(sim.policy, sim.state, entry, "e1", sim.now)
    finally:
        sys.setprofile(None)
    return count


def last_update(sim: Simulation) -> AnyEntry:
    name = f"INC-1-d{only(sim).deliveries}"
    return Delivered(at=sim.now, delivery=name, attempt=1, outcome=Outcome.OK, provider_id="p")


def escalation(sim: Simulation) -> AnyEntry:
    timer = sim.state.timers()[f"{Wake.ESCALATE}:INC-1"]
    return TimerDue(at=sim.now, timer=timer.id, due_at=timer.at)


ENTRIES: dict[str, Callable[[Simulation], AnyEntry]] = {
    "acknowledged": lambda sim: Command(at=sim.now, incident="INC-1", verb=Verb.ACK, by="anna"),
    "resolved by hand": lambda sim: Command(at=sim.now, incident="INC-1", verb=Verb.RESOLVE, by="anna"),
    "its alert again": lambda sim: firing("site-down", at=sim.now),
    "joined": lambda sim: firing("api-broken", at=sim.now, key="other"),
    "ended": lambda sim: resolved("site-down", at=sim.now),
    "told": last_update,
    "the next step": escalation,
    "a note": lambda sim: Command(at=sim.now, incident="INC-1", verb=Verb.NOTE, by="anna", text="hm"),
}


@pytest.fixture(scope="module")
def lives() -> tuple[Simulation, Simulation]:
    return lived_through(FEW), lived_through(MANY)


@pytest.mark.parametrize("what", ENTRIES)
def test_an_entry_costs_the_same_after_many_messages_as_after_few(
    lives: tuple[Simulation, Simulation], what: str
) -> None:
    few, many = (calls(each, ENTRIES[what](each)) for each in lives)
    assert 0 < many <= few + few // 4
