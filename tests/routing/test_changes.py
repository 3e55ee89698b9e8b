"""A change that is no deployment: a suspect like one, but nothing that can be gone back on."""

from dataclasses import replace

import msgspec
import pytest
from small_policy import HERE, POLICY, START, World, deploy, firing

from routing.automation import facts
from routing.entry import Signal
from routing.event import Event, Status
from routing.incident import Incident
from routing.instant import HOUR, MINUTE
from routing.language import matchers
from routing.policy import SeverityRule
from routing.response import render
from routing.severity import Severity
from routing.simulation import Simulation

_RULE = SeverityRule(
    name="changes",
    matchers=tuple(matchers.parse_all('kind="change"')),
    severity=Severity.SEV4,
    origin=HERE,
    handling="deploy",
)


@pytest.fixture
def sim() -> Simulation:
    return Simulation(replace(POLICY, rules=(_RULE, *POLICY.rules)), START, World())


def change(title: str, at: int) -> Signal:
    event = Event(
        source="builds", vendor="x", kind="change", status=Status.INFO, key=f"change:{title}", title=title
    )
    return Signal(at=at, event=event)


def broken(sim: Simulation) -> Incident:
    sim.feed(firing(at=sim.now))
    return sim.incidents()[0]


def test_a_change_is_named_in_its_own_words(sim: Simulation) -> None:
    sim.feed(change("New prices", START))
    sim.pass_time(START + 12 * MINUTE)
    incident = broken(sim)
    assert render.suspicion(incident, incident.opened_at) == '12 min after the change "New prices"'
    reasons = [reason.text for _, moment in sim.moments for reason in moment.reasons]
    assert 'the change "New prices" of it was made shortly before' in reasons


def test_the_later_is_suspected_first_but_a_repair_looks_at_the_deployment(sim: Simulation) -> None:
    sim.feed(deploy(START))
    sim.feed(change("New prices", START + MINUTE))
    sim.pass_time(START + 5 * MINUTE)
    incident = broken(sim)
    assert render.suspicion(incident, incident.opened_at) == (
        '4 min after the change "New prices", or 5 min after production deploy dpl_bad by dora'
    )
    assert facts.of_incident(incident, "r", sim.now)["incident"]["suspect"]["id"] == "dpl_bad"


def test_the_same_words_twice_are_two_changes(sim: Simulation) -> None:
    for number in range(2):
        told = change("New prices", START + number * MINUTE)
        event = msgspec.structs.replace(told.event, key=f"change:{number}")
        sim.feed(msgspec.structs.replace(told, event=event))
    sim.pass_time(START + 5 * MINUTE)
    assert render.suspicion(broken(sim), START + 5 * MINUTE).count("New prices") == 2


def test_with_nothing_but_a_change_a_repair_has_no_suspect(sim: Simulation) -> None:
    sim.feed(change("New prices", START))
    assert facts.of_incident(broken(sim), "r", sim.now)["incident"]["suspect"] is None


def test_a_change_long_ago_is_no_suspect(sim: Simulation) -> None:
    sim.feed(change("New prices", START))
    sim.pass_time(START + 3 * HOUR)
    assert broken(sim).suspect is None
