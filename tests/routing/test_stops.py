"""Stops: the kill switch and change freezes, which hold for all runbooks at once."""

from dataclasses import replace

import pytest
import shipped
from small_policy import HERE, POLICY, START, World, firing
from telling import do

from routing.calendar.hours import Hours, Span
from routing.decision import Table
from routing.delivery import Purpose
from routing.effect import Deliver
from routing.entry import SwitchSet, Verb
from routing.instant import MINUTE
from routing.load import load
from routing.policy import Policy
from routing.run import Run
from routing.simulation import Simulation

ALWAYS = Hours("sale", "UTC", (Span(frozenset(range(7)), 0, 1440),), frozenset(), HERE)
AT_NIGHT = Hours("night", "UTC", (Span(frozenset(range(7)), 0, 60),), frozenset(), HERE)


def began(policy: Policy, *switches: SwitchSet) -> tuple[Simulation, World]:
    world = World()
    sim = Simulation(policy, START, world)
    for each in switches:
        sim.feed(each)
    sim.feed(firing("api-broken"))
    sim.pass_time(START + 4 * MINUTE)
    return sim, world


def why(sim: Simulation) -> str:
    found = sim.state.tables[Table.RUN]["INC-1-r1"]
    assert isinstance(found, Run)
    return found.why


def switch(name: str, reason: str = "") -> SwitchSet:
    return SwitchSet(at=START, by="anna", name=name, on=True, reason=reason)


@pytest.mark.parametrize(
    ("policy", "switches", "said"),
    [
        (POLICY, [switch("kill", "wrong rollback")], "the kill switch is on: wrong rollback"),
        (POLICY, [switch("freeze", "the sale")], "change freeze by anna: the sale"),
        (replace(POLICY, freeze=ALWAYS), [], "change freeze in sale hours"),
    ],
)
def test_nothing_is_changed_and_somebody_is_paged_at_once(
    policy: Policy, switches: list[SwitchSet], said: str
) -> None:
    sim, world = began(policy, *switches)
    assert (world.rolled_back, why(sim)) == (0, said)
    pages = [at for at, each in sim.effects if isinstance(each, Deliver) and each.purpose is Purpose.PAGE]
    assert pages[0] == START


def test_outside_of_its_hours_and_after_its_end_all_is_as_ever() -> None:
    _, world = began(replace(POLICY, freeze=AT_NIGHT))
    assert world.rolled_back == 1
    off = SwitchSet(at=START, by="anna", name="freeze", on=False)
    _, world = began(POLICY, switch("freeze"), off)
    assert world.rolled_back == 1


def test_a_person_may_start_one_in_a_freeze_and_not_against_the_kill_switch() -> None:
    for stopped, rolled_back in (("freeze", 1), ("kill", 0)):
        sim, world = began(POLICY, switch(stopped))
        do(sim, Verb.RUN, text="rollback")
        sim.pass_time(START + 9 * MINUTE)
        assert world.rolled_back == rolled_back


def test_a_dry_run_goes_on_in_a_freeze() -> None:
    dry = replace(POLICY.runbooks[0], mode="dry_run")
    sim, _ = began(replace(POLICY, runbooks=(dry,)), switch("freeze"))
    assert why(sim).startswith("dry run: would have done vercel.rollback")


def test_the_hours_of_a_freeze_are_those_of_the_calendar() -> None:
    files = shipped.spoilt("tocsin.yaml", "max_running:", "freeze: working\nmax_running:")
    policy = load(files, shipped.vendors())
    assert policy.freeze is not None
    assert policy.freeze.name == "working"
    (fault,) = shipped.faults(shipped.spoilt("tocsin.yaml", "max_running:", "freeze: workin\nmax_running:"))
    assert 'no hours "workin"; did you mean "working"?' in f"{fault.found}; {fault.fix}"
