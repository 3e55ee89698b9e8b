"""Rehearsals: a runbook goes its whole way, whatever its guards would say, and changes nothing."""

from dataclasses import replace
from typing import Any

from small_policy import HERE, POLICY, ROLLBACK, START, World, firing

from routing.effect import AnyEffect, Step
from routing.entry import AnyEntry, Outcome, SwitchSet
from routing.instant import HOUR
from routing.policy import Guard, Limits, Policy, Runbook, Task
from routing.simulation.proving import RunbookTest
from routing.simulation.rehearsal import Asked, Rehearsed, rehearse
from routing.simulation.scenario import Happening, Scenario


class Watched(World):
    """Remembers the steps that it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Step] = []

    def __call__(self, effect: AnyEffect, now: int) -> list[tuple[int, AnyEntry]]:
        self.asked += [effect] if isinstance(effect, Step) else []
        return super().__call__(effect, now)


def played(book: Runbook = ROLLBACK, world: Watched | None = None, **more: Any) -> tuple[Rehearsed, Watched]:
    scenario = Scenario(
        name="x", title="x", timezone="UTC", start_at=START, longest_ms=HOUR, exactly=False,
        happenings=(Happening(0, SwitchSet(at=0, name="freeze", on=True), HERE), Happening(5, firing("api-broken"), HERE)),
    )  # fmt: skip
    policy: Policy = replace(POLICY, runbooks=(book,), **more)
    watched = world or Watched()
    test = RunbookTest(book.id, scenario, "succeeded", (), "", HERE)
    return rehearse(policy, test, {"project": "prj_staging"}, watched), watched


def test_every_step_but_the_last_look_is_played_and_each_is_dry() -> None:
    found, world = played()
    assert [(each.step, each.mutates, each.dry_run) for each in world.asked] == [
        ("health", False, True), ("deployments", False, True), ("rollback", True, True),
    ]  # fmt: skip
    assert found.run is not None
    assert found.run.why == "dry run: would have done vercel.rollback"


def test_a_guard_that_does_not_hold_or_cannot_be_judged_stops_nothing_and_is_told() -> None:
    world = Watched()
    world.health_failures = 0
    world.refuses["vercel.deployments"] = Outcome.PERMANENT
    found, _ = played(world=world)
    assert [each.step for each in world.asked] == ["health", "deployments", "rollback"]
    first, second = found.asked
    assert first == Asked("health.failures >= `3`", "the site must be failing three times", holds=False)
    assert (second.holds, "vercel.deployments says no" in second.problem) == (None, True)


def test_a_step_that_would_not_be_needed_is_played_and_told() -> None:
    step = replace(ROLLBACK.remediate[0], when="health.failures > `5`", params={})
    found, world = played(replace(ROLLBACK, remediate=(step,)))
    assert world.asked[-1].step == "rollback"
    assert found.asked[-1] == Asked("health.failures > `5`", "rollback is needed", holds=False)


def test_labels_of_the_environment_are_those_of_its_events() -> None:
    look = replace(ROLLBACK.diagnose[1], params={"project": "{{ incident.labels.project }}"})
    _, world = played(replace(ROLLBACK, diagnose=(look,), guards=()))
    assert world.asked[0].params == {"project": "prj_staging"}


def test_one_that_is_off_asks_or_hands_over_is_rehearsed_as_well() -> None:
    task = Task("look", (("contact", "cto"),), HOUR, HERE)
    never = Guard("`false`", "never", "stop", HERE)
    for book in (
        replace(ROLLBACK, mode="off"),
        replace(ROLLBACK, mode="approve", limits=Limits(max_affected=0)),
        replace(ROLLBACK, guards=(never,), remediate=(), verify=None, task=task),
    ):
        found, _ = played(book)
        assert found.run is not None
        assert found.run.why.startswith("dry run: would have")


def test_what_nothing_starts_is_said() -> None:
    found, world = played(replace(ROLLBACK, when_severity=(), matchers=POLICY.rules[2].matchers))
    assert (found, world.asked) == (Rehearsed(None), [])
