"""Rehearsing runbooks in another environment: what they look at is really asked there, and nothing is changed.

A process of its own, `python -m workers.child workers.rehearsing:main ENVIRONMENT FOLDER RUNBOOK...`, which prints
JSON: it has a wall around production, and nobody else's secrets.
"""

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from ledger import catalogue, env_file, policies
from ledger.clock import now_ms
from routing import effect as effects
from routing.effect import AnyEffect
from routing.entry import AnyEntry, Claimed, Delivered, Outcome, StepDone
from routing.errors import ActionError
from routing.language import template
from routing.load import RUNBOOKS, load
from routing.policy import Environment, Policy
from routing.ports import Step
from routing.run import StepState
from routing.schema.runbook_tests import read_tests
from routing.simulation.proving import RunbookTest
from routing.simulation.rehearsal import Rehearsed, rehearse
from workers import redaction, remediate
from workers.deadline import Deadline
from workers.elsewhere import Elsewhere, raise_wall
from workers.settings import environment as own_environment

_BEST = ("succeeded", "handed_over")
"""A test that ends so is one in which the runbook goes its whole way."""


class Stagehand:
    """Answers what a run wants: reading steps are carried out in the environment, changes are planned."""

    def __init__(self, elsewhere: Elsewhere, name: str) -> None:
        self._elsewhere = elsewhere
        self._name = name
        self.unplayed: set[str] = set()
        """Ids of the steps that were not played, for want of configuration."""

    def __call__(self, effect: AnyEffect, now: int) -> list[tuple[int, AnyEntry]]:
        timeout = effect.timeout_ms if isinstance(effect, effects.Step) else 1_000
        claimed = Claimed(at=now, effect=effect.id, attempt=effect.attempt, timeout_ms=timeout)
        if not isinstance(effect, effects.Step):
            answer: AnyEntry = Delivered(
                at=now, delivery=effect.id, attempt=effect.attempt, outcome=Outcome.OK
            )
            return [(1, claimed), (2, answer)]
        return [(1, claimed), (2, self._step(effect, now))]

    def _step(self, effect: effects.Step, now: int) -> StepDone:
        outcome, output, error = Outcome.OK, None, ""
        try:
            output = redaction.output(self._act(effect))
        except ActionError as failure:
            outcome, error = failure.outcome, redaction.text(str(failure))
        except Exception as failure:  # noqa: BLE001  # a fault in one action is no reason to tell of no other
            outcome, error = Outcome.PERMANENT, redaction.error(failure)
        return StepDone(
            at=now,
            run=effect.run,
            step=effect.step,
            attempt=effect.attempt,
            outcome=outcome,
            output=output,
            error=error,
        )

    def _act(self, effect: effects.Step) -> dict[str, Any]:
        """Raises ActionError."""
        family, _, name = effect.action.partition(".")
        action = catalogue.action(family).ACTIONS[name]
        found = self._elsewhere.family(family)
        if not action.mutates:
            self._refuse(effect, found.problem or self._open(effect))
        step = Step(
            settings=found.settings,
            timeout_s=effect.timeout_ms / 1000,
            idempotency_key=effect.idempotency_key,
            now=now_ms(),
            allowed=lambda: False,
            left=Deadline(effect.timeout_ms / 1000).rest,
        )
        if not action.mutates:
            return action.run(step, remediate.params_of(action, effect))
        if not self._open(effect):
            remediate.params_of(action, effect)
        # What a plan says of the target it knows from settings, and there are none of what is not configured.
        planned = replace(action, plan=None) if found.problem else action
        return remediate.plan(planned, step, effect, f"a rehearsal in {self._name}")

    def _refuse(self, effect: effects.Step, problem: str) -> None:
        if problem:
            self.unplayed.add(effect.step)
            raise ActionError(problem, outcome=Outcome.PERMANENT)

    def _open(self, effect: effects.Step) -> str:
        """Which placeholders nothing filled; "" when all are."""
        paths = [path for _, text in template.texts(effect.params) for path in template.paths(text)]
        if not paths:
            return ""
        where = f"environments.{self._name}.labels in actions.yaml"
        return f"it needs {', '.join(paths)}: from a step before it, or as a label of {where}"


def rehearsed(
    policy: Policy, environment: Environment, environ: Mapping[str, str], tests: Mapping[str, RunbookTest]
) -> list[dict[str, Any]]:
    """What became of each runbook, by the test that starts it, as JSON."""
    found = []
    for runbook, test in tests.items():
        stagehand = Stagehand(Elsewhere(policy, environment, environ), environment.name)
        played = rehearse(policy, test, environment.labels, stagehand)
        found.append(_shown(runbook, test, played, stagehand.unplayed))
    return found


def _shown(runbook: str, test: RunbookTest, played: Rehearsed, unplayed: set[str]) -> dict[str, Any]:
    run = played.run
    steps = [_step(state, unplayed) for state in run.steps if state.outcome] if run else []
    return {
        "runbook": runbook,
        "happens": test.scenario.title,
        "ends": run.why if run else "it did not run: nothing that happens fits its match and severity",
        "ok": run is not None and not any(each["status"] == "failed" for each in steps),
        "played": sum(each["status"] == "ok" for each in steps),
        "steps": steps,
        "asked": [
            {"condition": each.condition, "what": each.what, "holds": each.holds, "problem": each.problem}
            for each in played.asked
        ],
    }


def _step(state: StepState, unplayed: set[str]) -> dict[str, Any]:
    planned = isinstance(state.output, dict) and state.output.get("dry_run")
    status = "would" if planned else "ok" if state.outcome == Outcome.OK else "failed"
    return {
        "id": state.id,
        "action": state.action,
        "status": "not played" if state.id in unplayed else status,
        "output": state.output,
        "error": state.error,
    }


def starts_of(files: Mapping[str, str], policy: Policy, only: list[str]) -> dict[str, RunbookTest]:
    """By runbook, the test in which it goes its whole way."""
    found: dict[str, RunbookTest] = {}
    for name, text in files.items():
        for test in read_tests(name, text, policy) if RUNBOOKS in name else ():
            better = test.ends in _BEST and found.get(test.runbook, test).ends not in _BEST
            if (not only or test.runbook in only) and (test.runbook not in found or better):
                found[test.runbook] = test
    return found


def main() -> None:
    """`sys.argv`: environment, folder of the configuration, and the runbooks, none for all."""
    name, folder, *only = sys.argv[1:]
    environ = env_file.joined(env_file.where(own_environment()), own_environment())
    files = policies.read_files(Path(folder))
    policy = load(files, catalogue.catalogue())
    environment = policy.environments[name]
    raise_wall(Elsewhere(policy, environment, environ).forbidden)
    found = rehearsed(policy, environment, environ, starts_of(files, policy, only))
    with suppress(BrokenPipeError):
        sys.stdout.buffer.write(orjson.dumps(found))
        sys.stdout.flush()
