"""What joins an open incident is repaired too: another target, another cause; the same one only once."""

from dataclasses import replace
from typing import Any

import pytest
from small_policy import HERE, POLICY, ROLLBACK, START, World, firing, resolved
from telling import do, lines, only, pages

from routing.audit import audit
from routing.decision import Table
from routing.effect import Step
from routing.entry import SilenceSet, Verb
from routing.incident import Phase
from routing.instant import HOUR, MINUTE, SECOND
from routing.language import matchers
from routing.policy import Guard, Policy, Runbook, RunbookStep, SeverityRule, Task
from routing.run import Run, RunPhase
from routing.severity import Severity
from routing.simulation import Simulation

LOOK = RunbookStep(
    id="look", action="shop.look", params={}, timeout_ms=10 * SECOND, mutates=False, origin=HERE
)


def book(name: str, kinds: str, target: str, params: dict[str, str] | None = None, **more: Any) -> Runbook:
    """One step that changes something, and the looks before and afterwards."""
    step = RunbookStep(
        id=name, action=f"shop.{name}", params=params or {}, timeout_ms=10 * SECOND, mutates=True, origin=HERE
    )
    changes: dict[str, Any] = {
        "id": name, "title": name.title(), "matchers": matchers.parse_all(f'kind=~"{kinds}"'), "target": target,
        "diagnose": (LOOK,), "guards": (), "remediate": (step,), "followups": (), "when_severity": (),
    }  # fmt: skip
    return replace(ROLLBACK, **{**changes, **more})


ADDRESS = "{{ incident.labels.ip }}"
BLOCK = book("block", "theft", f"ip:{ADDRESS}", {"ip": ADDRESS}, resolves=False)
RESTART = book("restart", "stuck", "server")
CLEAN = book("clean", "full", "disk")


def policy(*books: Runbook) -> Policy:
    rule = SeverityRule(
        "all", matchers.parse_all('source="am"'), HERE, severity=Severity.SEV1, reason="all", service="shop"
    )
    return replace(POLICY, rules=(rule,), runbooks=books)


def sim(*books: Runbook) -> Simulation:
    return Simulation(policy(*books), START, World())


def fire(sim: Simulation, kind: str, key: str = "", **labels: str) -> None:
    sim.feed(firing(kind, at=sim.now, key=key or f"{kind}{sorted(labels.items())}", labels=labels))


def runs(sim: Simulation) -> list[tuple[str, str, RunPhase]]:
    found = sim.state.tables[Table.RUN].values()
    return [(each.runbook, each.target, each.phase) for each in found if isinstance(each, Run)]


def steps(sim: Simulation, step: str) -> list[dict[str, Any]]:
    found = [each for _, each in sim.effects if isinstance(each, Step) and each.step == step]
    return [dict(each.params) for each in found]


def test_the_address_of_the_second_thief_is_blocked_too() -> None:
    found = sim(BLOCK)
    fire(found, "theft", ip="192.0.2.1")
    found.pass_time(START + 10 * MINUTE)
    fire(found, "theft", ip="192.0.2.2")
    found.pass_time(START + 20 * MINUTE)
    assert [target for _, target, _ in runs(found)] == ["ip:192.0.2.1", "ip:192.0.2.2"]
    assert [each["ip"] for each in steps(found, "block")] == ["192.0.2.1", "192.0.2.2"]
    assert audit(found.state, found.now) == []


def test_what_is_taken_up_already_is_not_taken_up_again_however_often_it_joins() -> None:
    found = sim(BLOCK)
    for minute, key in enumerate(("one", "two", "three", "one")):
        fire(found, "theft", key, ip="192.0.2.1")
        found.pass_time(START + (minute + 1) * 10 * MINUTE)
        found.feed(resolved("theft", at=found.now, key="three", labels={"ip": "192.0.2.1"}))
    assert len(runs(found)) == len(steps(found, "block")) == 1


def test_another_cause_is_repaired_by_its_own_runbook_and_the_incident_is_over_when_both_are() -> None:
    found = sim(RESTART, CLEAN)
    fire(found, "stuck")
    found.pass_time(START + 30 * SECOND)
    fire(found, "full")
    assert [(name, phase.over) for name, _, phase in runs(found)] == [("restart", False), ("clean", False)]
    found.pass_time(START + 75 * SECOND)
    assert [phase for _, _, phase in runs(found)] == [RunPhase.SUCCEEDED, RunPhase.VERIFY]
    assert only(found).phase is Phase.TRIGGERED
    assert "repaired by runbook restart, but for full" in lines(found)
    assert pages(found) == [], "the other repair is under way, and the page waits for it as for the first"
    found.pass_time(START + 2 * MINUTE)
    assert (only(found).phase, only(found).resolved_by) == (Phase.RESOLVED, "runbook clean")
    assert pages(found) == []


def test_a_repair_does_not_end_what_another_one_has_not_repaired() -> None:
    never = Guard("`false`", "the disk must be ours", "stop", HERE)
    found = sim(RESTART, replace(CLEAN, guards=(never,)))
    fire(found, "stuck")
    fire(found, "full")
    found.pass_time(START + 2 * MINUTE)
    assert [phase for _, _, phase in runs(found)] == [RunPhase.SUCCEEDED, RunPhase.STOPPED]
    assert {(at, who) for at, who, _ in pages(found)} == {(0, "anna")}, "a person is needed for the other"
    assert only(found).phase is Phase.TRIGGERED
    found.feed(resolved("full", at=found.now, key="full[]"))
    found.feed(resolved("stuck", at=found.now, key="stuck[]"))
    assert only(found).phase is Phase.RESOLVED


def test_what_no_runbook_is_for_does_not_keep_a_repaired_incident_open() -> None:
    found = sim(RESTART)
    fire(found, "stuck")
    fire(found, "slow")
    found.pass_time(START + 2 * MINUTE)
    assert only(found).resolved_by == "runbook restart"


def test_after_an_acknowledgement_what_joins_is_still_repaired() -> None:
    found = sim(BLOCK)
    fire(found, "theft", ip="192.0.2.1")
    do(found, Verb.ACK)
    fire(found, "theft", ip="192.0.2.2")
    assert len(runs(found)) == 2


def test_what_is_silenced_and_joins_starts_nothing() -> None:
    found = sim(BLOCK)
    fire(found, "theft", ip="192.0.2.1")
    matching = ['ip="192.0.2.2"']
    found.feed(
        SilenceSet(at=found.now, id="s-1", matchers=matching, from_at=0, until_at=START + HOUR, reason="ours")
    )
    fire(found, "theft", ip="192.0.2.2")
    assert len(runs(found)) == 1


@pytest.mark.parametrize("hands_over", [False, True])
def test_what_joins_by_the_hundred_starts_a_bounded_number_of_runs(hands_over: bool) -> None:
    task = Task("look", (("contact", "cto"),), HOUR, HERE)
    found = sim(replace(BLOCK, task=task, remediate=()) if hands_over else BLOCK)
    for number in range(100):
        fire(found, "theft", ip=f"192.0.2.{number}")
        found.pass_time(found.now + MINUTE)
    assert len(runs(found)) == (1 if hands_over else 20)
    assert len([each for each in lines(found) if "after 20 runs" in each]) == (0 if hands_over else 1)


def test_what_made_it_worse_is_repaired_with_its_own_labels() -> None:
    worse = SeverityRule(
        "worse", matchers.parse_all('kind="theft"'), HERE, severity=Severity.SEV0, reason="theft"
    )
    known = policy(BLOCK)
    found = Simulation(replace(known, rules=(worse, *known.rules)), START, World())
    fire(found, "slow", ip="192.0.2.9")
    fire(found, "theft", ip="192.0.2.2")
    assert [target for _, target, _ in runs(found)] == ["ip:192.0.2.2"]
    found.pass_time(START + MINUTE)
    assert [each["ip"] for each in steps(found, "block")] == ["192.0.2.2"]


@pytest.mark.parametrize("joins", [False, True])
def test_an_alert_that_does_not_say_what_to_repair_is_decided_and_paged_all_the_same(joins: bool) -> None:
    found = sim(BLOCK)
    if joins:
        fire(found, "theft", ip="192.0.2.1")
    fire(found, "theft", "without an address")
    found.pass_time(START + 10 * MINUTE)
    (name, target, phase) = runs(found)[-1]
    assert (name, target, phase.over, phase is RunPhase.SUCCEEDED) == ("block", "ip:(not known)", True, False)
    assert [each["ip"] for each in steps(found, "block")] == ["192.0.2.1"] * joins
    assert only(found).firing == 1 + joins
    assert pages(found)
    assert audit(found.state, found.now) == []
