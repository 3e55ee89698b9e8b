"""Fire drills: they come by the calendar in their hours, say what they are, and end answered or as a finding."""

from dataclasses import replace
from typing import Any

import pytest
import shipped
from small_policy import HERE, POLICY, START, World, firing
from telling import do, lines, only, pages, said, simulate

from routing.audit import audit
from routing.calendar import recurring
from routing.calendar.recurring import Every, Recurrence
from routing.decision import Table
from routing.delivery import Purpose
from routing.effect import Deliver
from routing.entry import PolicySet, Verb
from routing.incident import Incident, Phase
from routing.instant import DAY, HOUR, MINUTE, SECOND, iso
from routing.load import load
from routing.policy import Drill, EscalationPolicy, EscalationStep, Policy
from routing.severity import Severity
from routing.simulation import Simulation

WARSAW = "Europe/Warsaw"
NOON = Recurrence(Every("day"), 0, 12 * 60, WARSAW)
FIRST = recurring.next_after(NOON, START)
CALL = Drill("noon", "can you be reached?", NOON, Severity.SEV1, "drill", HERE, inform=(("contact", "room"),))


def policy(drill: Drill = CALL, **more: Any) -> Policy:
    steps = (
        EscalationStep((("schedule", "primary"),), 5 * MINUTE, HERE),
        EscalationStep((("contact", "bob"),), 10 * MINUTE, HERE),
    )
    ladder = EscalationPolicy("drill", steps, 0, HERE)
    return replace(POLICY, drills=(drill,), escalations={**POLICY.escalations, "drill": ladder}, **more)


def begun(drill: Drill = CALL, world: World | None = None) -> Simulation:
    sim = simulate(policy(drill), world)
    sim.feed(PolicySet(at=START, version="p1"))
    sim.pass_time(FIRST + SECOND)
    return sim


def updates(sim: Simulation) -> list[tuple[str, str]]:
    return [
        (each.contact, each.message.title)
        for _, each in sim.effects
        if isinstance(each, Deliver) and each.purpose is Purpose.UPDATE
    ]


def test_it_pages_who_is_on_call_and_says_what_it_is_to_eye_and_ear() -> None:
    sim = begun()
    drill = only(sim)
    assert (drill.title, drill.drill, drill.severity) == ("DRILL: can you be reached?", "noon", Severity.SEV1)
    assert {contact for _, contact, _ in pages(sim)} == {"anna"}
    (call, *_) = [each for _, each in sim.effects if isinstance(each, Deliver)]
    assert "DRILL" in call.message.title
    assert "This is a drill: nothing is broken" in call.message.body
    assert call.message.speech.startswith("This is a drill.")
    assert drill.next_action is not None
    assert audit(sim.state, sim.now) == []


def test_an_answer_ends_it_and_says_how_long_that_took_and_nobody_else_is_paged() -> None:
    sim = begun()
    sim.pass_time(FIRST + 2 * MINUTE)
    do(sim, Verb.ACK, by="anna")
    drill = only(sim)
    assert (drill.phase, drill.acknowledged_by, drill.resolved_by) == (Phase.RESOLVED, "anna", "anna")
    assert drill.acknowledged_at - drill.opened_at == 2 * MINUTE
    sim.pass_time(FIRST + HOUR)
    assert {contact for _, contact, _ in pages(sim)} == {"anna"}
    assert any("the drill is over: anna answered after 2m" in line for line in lines(sim))
    assert [title for contact, title in updates(sim) if contact == "anna"] != []
    assert [title for contact, title in updates(sim) if contact == "room"] != []
    assert audit(sim.state, sim.now) == []


def test_one_that_nobody_answers_goes_as_far_as_its_policy_and_ends_as_a_finding() -> None:
    sim = begun()
    sim.pass_time(FIRST + 3 * HOUR)
    drill = only(sim)
    assert {contact for _, contact, _ in pages(sim)} == {"anna", "bob"}  # never the last resort
    assert (drill.phase, drill.resolved_by) == (Phase.RESOLVED, "nobody")
    assert drill.resolved_at - drill.opened_at == 15 * MINUTE
    assert any("FINDING: nobody answered the drill (paged: anna, bob)" in line for line in lines(sim))
    assert any("FINDING" in title for contact, title in updates(sim) if contact == "room")
    assert audit(sim.state, sim.now) == []


def test_it_comes_again_the_next_time_and_only_once_a_time() -> None:
    sim = begun()
    sim.pass_time(FIRST + 2 * DAY + HOUR)
    found = [each for each in sim.state.tables[Table.INCIDENT].values() if isinstance(each, Incident)]
    assert [iso(each.opened_at)[11:16] for each in found] == ["11:00", "11:00", "11:00"]


def test_it_is_put_off_to_its_hours() -> None:
    hours = shipped.policy().hours["working"]
    early = replace(CALL, recurs=Recurrence(Every("day"), 0, 5 * 60, WARSAW), hours=hours)
    sim = simulate(policy(early))
    sim.feed(PolicySet(at=START, version="p1"))
    sim.pass_time(START + 3 * DAY)
    found = [each for each in sim.state.tables[Table.INCIDENT].values() if isinstance(each, Incident)]
    assert found
    assert {iso(each.opened_at)[11:16] for each in found} == {"08:00"}  # 09:00 in Warsaw


def test_it_is_put_off_while_something_is_really_broken() -> None:
    sim = simulate(policy())
    sim.feed(PolicySet(at=START, version="p1"))
    sim.pass_time(FIRST - MINUTE)
    sim.feed(firing("worse", at=sim.now))
    sim.pass_time(FIRST + 30 * MINUTE)
    assert [each for each in sim.incidents() if each.drill] == []
    do(sim, Verb.RESOLVE, by="bob")
    sim.pass_time(FIRST + 61 * MINUTE)
    assert [each.drill for each in sim.incidents() if each.drill] == ["noon"]


def test_it_costs_nobody_a_page_that_is_real() -> None:
    """What a drill sends counts in nobody's limits."""
    sim = begun()
    assert [key for key in sim.state.tables[Table.RATION] if "anna" in key] == []


def test_no_clock_and_no_process_runs_for_it() -> None:
    sim = begun()
    drill = only(sim)
    assert (drill.respond_by, drill.resolve_by, drill.course, drill.runs) == (0, 0, None, 0)


def test_a_drill_that_the_policy_has_no_more_is_held_no_more() -> None:
    sim = simulate(policy())
    sim.feed(PolicySet(at=START, version="p1"))
    sim.policy = POLICY
    sim.pass_time(FIRST + HOUR)
    assert said(sim, Purpose.PAGE) == []


GOOD = """drills:
  - name: monthly
    every: month
    day: 15
    at: "11:00"
    timezone: Europe/Warsaw
    hours: working
    escalation: on-call
    inform: [{contact: operations}]
"""


def test_it_is_read_from_the_calendar() -> None:
    files = {**shipped.files()}
    files["config/calendar.yaml"] += GOOD
    (drill,) = load(files, shipped.vendors()).drills
    assert (drill.name, drill.severity, drill.escalation) == ("monthly", Severity.SEV1, "on-call")
    assert drill.hours is not None
    assert drill.inform == (("contact", "operations"),)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("escalation: on-call", "escalation: on-cal", 'no escalation policy "on-cal"'),
        ("hours: working", "hours: workin", 'no hours "workin"'),
        ("day: 15", "day: 40", "no day of the month"),
        ("inform: [{contact: operations}]", "inform: [{contact: nobody}]", 'no contact "nobody"'),
    ],
)
def test_a_drill_that_cannot_be_held_does_not_go_live(old: str, new: str, found: str) -> None:
    files = {**shipped.files()}
    files["config/calendar.yaml"] += GOOD.replace(old, new)
    (fault,) = shipped.faults(files)
    assert found in fault.found
