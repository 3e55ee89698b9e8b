"""Findings: what came of a run's steps, in words and as a line of the timeline."""

from typing import Any

import msgspec

from routing.draft import Draft
from routing.entry import Outcome, StepDone
from routing.incident import Incident
from routing.policy import RunbookStep
from routing.reason import Reason
from routing.run import SKIPPED, Run, StepState

BRIEF = 160


def tell(draft: Draft, incident: Incident, run: Run, spec: RunbookStep, done: StepDone) -> None:
    """A line of the timeline, which is only ever added to: who did it, by which rule, with what, and what came."""
    what = f"{run.runbook}: {spec.id} {result(done)}"
    draft.note(incident.id, what, *audit(spec, done), by=done.by)


def result(done: StepDone) -> str:
    if done.outcome is not Outcome.OK:
        return failure(done)
    return f"found {brief(done.output)}"


def failure(done: StepDone) -> str:
    return f"{done.outcome}: {done.error}" if done.error else str(done.outcome)


def audit(spec: RunbookStep, done: StepDone) -> list[Reason]:
    """By which step of the configuration, with what, and what was asked and answered."""
    rule, origin = f"step {spec.id}", str(spec.origin)
    given = f" with {brief(done.params)}" if done.params else ""
    reasons = [Reason(text=f"{spec.action}{given}", rule=rule, origin=origin)]
    return [*reasons, Reason(text=done.request, rule="asked and answered")] if done.request else reasons


def brief(output: Any) -> str:
    """A result in a few words."""
    text = msgspec.json.encode(output).decode()
    return text if len(text) <= BRIEF else text[: BRIEF - 1] + "…"


def troubles(run: Run) -> str:
    """What could not be found out, in one sentence."""
    return "; ".join(
        f"{state.id} {state.outcome}: {state.error}"
        for state in run.steps
        if state.outcome not in {"", SKIPPED, Outcome.OK}
    )


def unmade(run: Run, condition: str) -> bool:
    """The condition refers to a step that was only simulated, so nobody can judge it."""
    return any(state.id in condition for state in run.steps if simulated(state))


def has_changed_something(run: Run) -> bool:
    """A step that changes something was carried out, or may have been."""
    return any(has_changed(state) for state in run.steps)


def has_changed(state: StepState) -> bool:
    """It is a change, and was carried out, or may have been."""
    done = {str(Outcome.OK), str(Outcome.UNKNOWN)}
    return state.mutates and state.outcome in done and not simulated(state)


def would_have(run: Run) -> str:
    done = [state.action for state in run.steps if state.mutates and state.outcome not in {"", SKIPPED}]
    return ", ".join(done) or "nothing"


def simulated(state: StepState) -> bool:
    return isinstance(state.output, dict) and bool(state.output.get("dry_run"))
