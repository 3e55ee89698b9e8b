"""Undoing: a change meant for a time is taken back at its end, whatever happens meanwhile, or by hand."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from small_policy import HERE, POLICY, ROLLBACK, START, World, firing
from telling import do, lines, only, told

from routing.audit import audit
from routing.decision import Table
from routing.effect import Step
from routing.entry import Outcome, StepDone, Verb
from routing.incident import Phase
from routing.instant import DAY, HOUR, MINUTE
from routing.policy import Policy, RunbookStep
from routing.run import Run, RunPhase
from routing.simulation import Simulation

UNDO = RunbookStep(
    id="undo_rollback", action="vercel.promote", params={"to": "{{ deployments.current.uid }}", "was": "{{ rollback }}"},
    timeout_ms=10_000, mutates=True, origin=HERE, attempts=2,
)  # fmt: skip


def policy(expires_ms: int = HOUR, **more: Any) -> Policy:
    step = replace(ROLLBACK.remediate[0], undo=UNDO, expires_ms=expires_ms)
    book = replace(ROLLBACK, remediate=(step,), followups=(), **more)
    return replace(POLICY, runbooks=(book,))


def repaired(policy: Policy, world: World | None = None) -> Simulation:
    sim = Simulation(policy, START, world or World())
    sim.feed(firing("api-broken"))
    sim.pass_time(START + 5 * MINUTE)
    assert runs(sim)[0].phase is RunPhase.SUCCEEDED
    return sim


def runs(sim: Simulation) -> list[Run]:
    table = sim.state.tables[Table.RUN]
    return [each for key in sorted(table) if isinstance(each := table[key], Run)]


def undone(sim: Simulation) -> list[tuple[int, dict[str, Any]]]:
    """Minutes after the start, and parameters, of each attempt to take it back."""
    found = [
        (at, each) for at, each in sim.effects if isinstance(each, Step) and each.action == "vercel.promote"
    ]
    return [((at - START) // MINUTE, dict(each.params)) for at, each in found]


def test_it_is_taken_back_when_its_time_is_over_with_what_was_found_before() -> None:
    sim = repaired(policy())
    sim.pass_time(START + 59 * MINUTE)
    assert undone(sim) == []
    sim.pass_time(START + 61 * MINUTE)
    assert undone(sim) == [(60, {"to": "dpl_bad", "was": {"requested": True}})]
    assert [(each.phase, each.undoes) for each in runs(sim)][1] == (RunPhase.SUCCEEDED, "INC-1-r1/rollback")
    assert only(sim).phase is Phase.RESOLVED
    assert "rollback: rollback is taken back" in lines(sim)
    sim.pass_time(START + DAY)
    assert len(undone(sim)) == 1


def test_a_resolved_incident_stays_until_its_changes_are_taken_back() -> None:
    sim = repaired(replace(policy(2 * DAY), retire_ms=HOUR))
    sim.pass_time(START + 2 * DAY - MINUTE)
    assert sim.incidents()
    sim.pass_time(START + 3 * DAY)
    assert len(undone(sim)) == 1
    assert sim.incidents() == []


def test_while_it_fails_it_is_tried_again_ever_more_rarely_and_people_hear_once() -> None:
    world = World()
    sim = repaired(policy(), world)
    world.refuses["vercel.promote"] = Outcome.PERMANENT
    sim.pass_time(START + 60 * MINUTE + 20 * HOUR)
    minutes = [at for at, _ in undone(sim)]
    assert minutes[:5] == [60, 65, 75, 95, 135]
    assert {late - early for early, late in pairwise(minutes[6:])} == {60}
    assert len([text for _, text in told(sim) if "is not taken back" in text]) == 1
    world.refuses.clear()
    sim.pass_time(sim.now + 2 * HOUR)
    assert any(each.phase is RunPhase.SUCCEEDED for each in runs(sim)[1:])
    assert not [key for key in sim.state.timers() if key.startswith("undo:")]


@pytest.mark.parametrize("asleep", ["dead", "asleep"])
def test_a_worker_that_dies_over_it_does_not_end_it(asleep: str) -> None:
    world = World()
    sim = repaired(policy(), world)
    getattr(world, asleep).add("vercel.promote")
    sim.pass_time(START + 62 * MINUTE)
    getattr(world, asleep).clear()
    sim.pass_time(START + 3 * HOUR)
    assert any(each.undoes and each.phase is RunPhase.SUCCEEDED for each in runs(sim))


def test_a_resolve_by_hand_or_a_denied_run_does_not_stop_it() -> None:
    sim = repaired(policy())
    sim.pass_time(START + 60 * MINUTE)
    do(sim, Verb.RESOLVE)
    sim.pass_time(START + 62 * MINUTE)
    assert len(undone(sim)) == 1
    assert runs(sim)[1].phase is RunPhase.SUCCEEDED


def test_a_person_takes_it_back_at_once_and_it_is_not_done_again_later() -> None:
    sim = repaired(policy())
    do(sim, Verb.UNDO, text="INC-1-r1")
    sim.pass_time(START + DAY)
    assert [at for at, _ in undone(sim)] == [5]
    do(sim, Verb.UNDO, text="INC-1-r1")
    assert lines(sim)[-1].endswith("nothing it has changed can be taken back")
    assert len(undone(sim)) == 1


def test_without_a_time_it_stays_until_a_person_says_so() -> None:
    sim = repaired(policy(0))
    sim.pass_time(START + 3 * DAY)
    assert undone(sim) == []
    do(sim, Verb.UNDO, text="INC-1-r1")
    assert len(undone(sim)) == 1


def test_a_change_that_was_only_simulated_is_not_taken_back() -> None:
    sim = Simulation(policy(mode="dry_run"), START, World())
    sim.feed(firing("api-broken"))
    sim.pass_time(START + DAY)
    assert undone(sim) == []


def test_a_runbook_that_is_gone_is_said_so_to_people() -> None:
    sim = repaired(policy())
    sim.policy = replace(sim.policy, runbooks=())
    sim.pass_time(START + 2 * HOUR)
    assert any("its runbook is no longer configured; take it back by hand" in line for line in lines(sim))
    assert not [key for key in sim.state.timers() if key.startswith("undo:")]


def test_what_nobody_can_take_back_is_told_once_and_not_tried_for_ever() -> None:
    world = World()
    world.refuses["vercel.rollback"] = Outcome.UNKNOWN
    sim = Simulation(policy(), START, world)
    sim.feed(firing("api-broken"))
    sim.pass_time(START + DAY)
    assert undone(sim) == [(60, {"to": "dpl_bad", "was": {"error": "vercel.rollback says no"}})]
    needs = replace(UNDO, params={"to": "{{ rollback.id }}"})
    step = replace(ROLLBACK.remediate[0], undo=needs, expires_ms=HOUR)
    gap = replace(POLICY, runbooks=(replace(ROLLBACK, remediate=(step,), followups=()),))
    sim = repaired(gap)
    sim.pass_time(START + DAY)
    assert undone(sim) == []
    said = "INC-1-r1/rollback cannot be taken back: it needs what nobody knows"
    assert len([line for line in lines(sim) if line.startswith(said)]) == 1
    assert len([text for _, text in told(sim) if text.startswith(said)]) == 1
    assert not [key for key in sim.state.timers() if key.startswith("undo:")]


def test_an_open_incident_has_another_next_action_than_the_end_of_a_change() -> None:
    world = World()
    world.site_is_up_after_rollback = False
    sim = Simulation(policy(), START, world)
    sim.feed(firing("api-broken"))
    sim.pass_time(START + 30 * MINUTE)
    action = only(sim).next_action
    assert action is not None
    assert "take back" not in action.what
    assert audit(sim.state, sim.now) == []


def failing() -> tuple[Simulation, World]:
    """A change whose time is over, and that nobody can take back."""
    world = World()
    sim = repaired(policy(), world)
    world.refuses["vercel.promote"] = Outcome.PERMANENT
    sim.pass_time(START + 3 * HOUR)
    return sim, world


def test_a_person_ends_what_fails_for_ever_with_a_reason() -> None:
    sim, _ = failing()
    tried = len(undone(sim))
    do(sim, Verb.LEAVE, text="INC-1-r1", reason="promoted by hand")
    sim.pass_time(START + 3 * DAY)
    assert len(undone(sim)) == tried
    said = "INC-1-r1/rollback is not taken back: anna gave it up: promoted by hand"
    moment = next(each for _, each in sim.moments if each.what == said)
    assert (moment.by, [why.text for why in moment.reasons]) == ("anna", ["said via the command line"])
    assert len([text for _, text in told(sim) if text == said]) == 1
    assert not [key for key in sim.state.timers() if key.startswith("undo:")]


def test_an_attempt_under_way_is_given_up_too_and_its_late_answer_changes_nothing() -> None:
    world = World()
    sim = repaired(policy(), world)
    world.asleep.add("vercel.promote")
    sim.pass_time(START + 60 * MINUTE + 2_000)
    do(sim, Verb.LEAVE, text="INC-1-r1", reason="it may stay")
    assert [(each.phase, each.why) for each in runs(sim)][1] == (
        RunPhase.STOPPED,
        "given up by anna: it may stay",
    )
    sim.feed(StepDone(at=sim.now, run="INC-1-r2", step="undo_rollback", attempt=1, outcome=Outcome.TEMPORARY))
    sim.pass_time(START + 3 * DAY)
    assert len(undone(sim)) == 1


def test_the_end_of_a_change_may_be_called_off_before_it_comes_and_taken_up_again() -> None:
    sim = repaired(policy())
    do(sim, Verb.LEAVE, text="INC-1-r1", reason="we stay with it")
    sim.pass_time(START + DAY)
    assert undone(sim) == []
    do(sim, Verb.UNDO, text="INC-1-r1")
    assert len(undone(sim)) == 1


def test_what_waits_for_nothing_cannot_be_given_up() -> None:
    sim = repaired(policy(0))
    do(sim, Verb.LEAVE, text="INC-1-r1", reason="no need")
    assert lines(sim)[-1].endswith("nothing of it waits to be")
