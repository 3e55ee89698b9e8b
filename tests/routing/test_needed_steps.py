"""Steps with `when`: what the diagnosis shows not to be needed is left out, and said so."""

from dataclasses import replace
from typing import Any

import pytest
import shipped
from small_policy import HERE, POLICY, ROLLBACK, START, World, firing
from telling import do, lines, pages

from routing.decision import Table
from routing.effect import Deliver, Step
from routing.entry import Outcome, Verb
from routing.instant import HOUR, MINUTE
from routing.policy import Approvers, Policy, RunbookStep
from routing.run import Run
from routing.simulation import Simulation

UNDO = RunbookStep(
    id="undo_purge", action="cache.fill", params={}, timeout_ms=10_000, mutates=True, origin=HERE
)
PURGE = replace(
    ROLLBACK.remediate[0], id="purge", action="cache.purge", params={}, when="health.failures > `5`", undo=UNDO, expires_ms=HOUR,
)  # fmt: skip


def policy(*steps: RunbookStep, **more: Any) -> Policy:
    book = replace(ROLLBACK, remediate=steps or (PURGE, ROLLBACK.remediate[0]), followups=(), **more)
    return replace(POLICY, runbooks=(book,))


def began(policy: Policy, world: World | None = None, after_ms: int = 4 * MINUTE) -> Simulation:
    sim = Simulation(policy, START, world or World())
    sim.feed(firing("api-broken"))
    sim.pass_time(START + after_ms)
    return sim


def run(sim: Simulation) -> Run:
    found = sim.state.tables[Table.RUN]["INC-1-r1"]
    assert isinstance(found, Run)
    return found


def changes(sim: Simulation) -> list[str]:
    return [each.action for _, each in sim.effects if isinstance(each, Step) and each.mutates]


def test_a_step_that_is_not_needed_is_left_out_and_says_so() -> None:
    sim = began(policy())
    assert changes(sim) == ["vercel.rollback"]
    assert str(run(sim).phase) == "succeeded"
    left = next(each for each in run(sim).steps if each.id == "purge")
    assert (left.outcome, left.error) == ("skipped", "health.failures > `5` does not hold")
    assert "rollback: purge is left out" in lines(sim)


def test_a_step_that_is_needed_is_carried_out() -> None:
    world = World()
    world.health_failures = 6
    assert changes(began(policy(), world)) == ["cache.purge", "vercel.rollback"]


def test_what_was_left_out_is_never_taken_back() -> None:
    sim = began(policy(), after_ms=3 * HOUR)
    do(sim, Verb.UNDO, text="INC-1-r1")
    assert "cache.fill" not in changes(sim)
    assert lines(sim)[-1].endswith("nothing it has changed can be taken back")


def test_the_last_step_may_be_the_one_that_is_left_out() -> None:
    assert changes(began(policy(ROLLBACK.remediate[0], PURGE))) == ["vercel.rollback"]


def test_where_no_step_is_needed_it_stops_and_the_page_goes_out() -> None:
    sim = began(policy(PURGE))
    assert (str(run(sim).phase), run(sim).why) == ("stopped", "none of its steps is needed")
    assert pages(sim)


@pytest.mark.parametrize(("when", "why"), [
    ("deployments.current.age_minutes > `5`", "deployments permanent: vercel.deployments says no"),
    ("contains(health.nothing, 'x')", "condition "),
])  # fmt: skip
def test_a_condition_that_nobody_can_judge_stops_the_run_before_its_first_change(when: str, why: str) -> None:
    world = World()
    world.refuses["vercel.deployments"] = Outcome.PERMANENT
    first = replace(ROLLBACK.remediate[0], params={})
    sim = began(policy(first, replace(PURGE, when=when), guards=()), world)
    assert changes(sim) == []
    assert str(run(sim).phase) == "stopped"
    assert run(sim).why.startswith(f"nobody can tell whether purge is needed: {why}")
    assert pages(sim)


def test_who_approves_is_asked_only_for_what_would_be_done_and_it_is_judged_anew() -> None:
    world = World()
    ask = Approvers((("contact", "cto"),), 1, 15 * MINUTE, HERE)
    many = replace(PURGE, affects="`50`")
    sim = began(policy(many, ROLLBACK.remediate[0], mode="approve", approval=ask), world, MINUTE)
    (asked,) = [
        each.message.body for _, each in sim.effects if isinstance(each, Deliver) and each.contact == "cto"
    ]
    assert "It would do: vercel.rollback." in asked
    assert run(sim).approval is not None
    assert run(sim).approval.affected == 0  # type: ignore[union-attr]
    world.health_failures = 6
    do(sim, Verb.APPROVE, by="cto")
    sim.pass_time(START + 3 * MINUTE)
    assert run(sim).approval.why.startswith("purge would affect 50, and 0 were approved")  # type: ignore[union-attr]


def test_a_dry_run_does_not_say_that_it_would_have_done_what_is_left_out() -> None:
    sim = began(policy(mode="dry_run"))
    assert run(sim).why == "dry run: would have done vercel.rollback"


@pytest.mark.parametrize(("when", "found"), [
    ("helth.failures > `5`", 'no step "helth" before it'),
    ("rollback.requested", 'no step "rollback" before it'),
    ("health.failures >", "'health.failures >' is no condition"),
    ("!health.ok", "'!health.ok', in which ! binds tighter than the dot"),
])  # fmt: skip
def test_a_condition_on_anything_but_what_was_diagnosed_is_refused_at_its_line(when: str, found: str) -> None:
    files = shipped.spoilt(
        "runbooks/rollback.yaml", "    timeout: 30s\n    recover", f'    when: "{when}"\n    recover'
    )
    (fault,) = shipped.faults(files)
    assert fault.found.startswith(found)
    assert fault.line == shipped.line_of("runbooks/rollback.yaml", "when:", files)


SECOND = """\
  - id: tell
    action: vercel.promote
    params: {project: prj, deployment: "{{ rollback.requested }}"}
    recover: irreversible
"""


@pytest.mark.parametrize(("second", "found"), [
    (SECOND, ['"rollback" may be left out, by its when']),
    (SECOND + '    when: "health.failures > `5`"\n', []),
    (SECOND + '    when: "health.failures > `6`"\n', ['"rollback" may be left out, by its when']),
    (SECOND.replace("rollback.requested", "deployments.candidate.uid"), []),
])  # fmt: skip
def test_what_refers_to_a_step_that_may_be_left_out_is_refused(second: str, found: list[str]) -> None:
    when = '    when: "health.failures > `5`"\n'
    old = '    timeout: 30s\n    recover: "undo: vercel.promote"\n'
    files = shipped.spoilt("runbooks/rollback.yaml", old, f"{when}{old}{second}")
    faults = shipped.faults(files)
    assert [each.found for each in faults] == found
    assert all(
        each.line == shipped.line_of("runbooks/rollback.yaml", "rollback.requested", files) for each in faults
    )
