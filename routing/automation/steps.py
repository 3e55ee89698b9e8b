"""One step of a run: handed out, tried again, recorded."""

from typing import Any

import msgspec

from routing.automation import findings
from routing.draft import Draft
from routing.effect import Step
from routing.entry import Claimed, Outcome, StepDone
from routing.incident import Incident
from routing.language.template import TemplateGap, fill
from routing.policy import Runbook, RunbookStep
from routing.response.sending import unclaimed_ms
from routing.run import SKIPPED, Run, StepState
from routing.timer import Wake

RETRY_MS = 2_000
SILENT_GRACE_MS = 1_000


def effect_id(run: Run, step: str) -> str:
    return f"{run.id}/{step}"


def split_effect(effect: str) -> tuple[str, str]:
    """Run and step of a step effect's id; ("", "") when it is not one."""
    run, slash, step = effect.partition("/")
    return (run, step) if slash else ("", "")


def state_of(run: Run, step: str) -> StepState:
    return next(state for state in run.steps if state.id == step)


def spec_of(runbook: Runbook, step: str) -> RunbookStep:
    undo = (spec.undo for spec in runbook.remediate if spec.undo is not None)
    return next(spec for spec in (*runbook.steps, *undo) if spec.id == step)


def chosen(run: Run, runbook: Runbook) -> list[RunbookStep]:
    """The steps that repair, without those that this run leaves out."""
    return [step for step in runbook.remediate if state_of(run, step.id).outcome != SKIPPED]


def with_state(run: Run, state: StepState) -> Run:
    steps = [state if known.id == state.id else known for known in run.steps]
    return msgspec.structs.replace(run, steps=steps)


def dispatch(draft: Draft, incident: Incident, run: Run, step: str, facts: dict[str, Any]) -> Run:
    """Hand out the step's next attempt; its parameters are filled in now, once, and never evaluated again.

    Raises TemplateGap when they refer to what no step before has found.
    """
    state = state_of(run, step)
    state = msgspec.structs.replace(
        state, attempt=state.attempt + 1, outcome="", began_at=draft.now, output=None, error=""
    )
    run = msgspec.structs.replace(with_state(run, state), at_step=step)
    _emit(draft, incident, run, state, facts)
    draft.put_run(run)
    return run


def repeat(draft: Draft, incident: Incident, run: Run, facts: dict[str, Any]) -> Run:
    """The worker fell silent: the same step again, marked, because it may have happened already."""
    state = state_of(run, run.at_step)
    state = msgspec.structs.replace(state, attempt=state.attempt + 1, repeat=True, began_at=draft.now)
    run = with_state(run, state)
    draft.put_run(run)
    draft.note(incident.id, f"{run.runbook}: {state.id} is done again: its worker gave no answer")
    _emit(draft, incident, run, state, facts)
    return run


def again_unclaimed(draft: Draft, incident: Incident, run: Run, facts: dict[str, Any], tries: int) -> None:
    _emit(draft, incident, run, state_of(run, run.at_step), facts, tries)


def _emit(
    draft: Draft, incident: Incident, run: Run, state: StepState, facts: dict[str, Any], tries: int = 0
) -> None:
    runbook = draft.policy.runbooks_by_id[run.runbook]
    spec = spec_of(runbook, state.id)
    draft.emit(
        Step(
            id=effect_id(run, state.id),
            attempt=state.attempt,
            incident=incident.id,
            repeat=state.repeat,
            run=run.id,
            step=state.id,
            action=spec.action,
            params=filled(dict(spec.params), facts, lenient=run.mode == "dry_run"),
            timeout_ms=spec.timeout_ms,
            mutates=spec.mutates,
            dry_run=run.mode == "dry_run",
            lock=run.target if spec.mutates else "",
            evidence=runbook.hands_over,
            looked_at=run.steps[0].began_at if spec.mutates and not run.undoes else 0,
            idempotency_key=str(filled(spec.idempotency_key, facts, lenient=run.mode == "dry_run")),
        )
    )
    draft.wake(
        Wake.UNCLAIMED,
        effect_id(run, state.id),
        draft.now + unclaimed_ms(tries),
        incident=incident.id,
        what=f"dispatch {state.id} again if no worker took it",
        tries=tries,
    )


def filled(value: Any, facts: dict[str, Any], *, lenient: bool) -> Any:
    """A dry run shows what it cannot know as the placeholder it is."""
    if not lenient:
        return fill(value, facts)
    if isinstance(value, dict):
        return {key: filled(each, facts, lenient=True) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [filled(each, facts, lenient=True) for each in value]
    try:
        return fill(value, facts)
    except TemplateGap:
        return value


def claimed(draft: Draft, run: Run, entry: Claimed) -> None:
    """A worker is at the step; if it falls silent past its own timeout, the step is done again."""
    _, step = split_effect(entry.effect)
    if run.phase.over or run.at_step != step or state_of(run, step).attempt != entry.attempt:
        return
    draft.unwake(Wake.UNCLAIMED, entry.effect)
    draft.wake(
        Wake.SILENT,
        entry.effect,
        entry.at + entry.timeout_ms + SILENT_GRACE_MS,
        incident=run.incident,
        what=f"repeat {step} if its worker gave no answer",
    )


def may_retry(spec: RunbookStep, state: StepState, done: StepDone) -> bool:
    """A temporary failure within the step's attempts; an unknown outcome only where repeating is safe."""
    if state.attempt >= spec.attempts:
        return False
    return done.outcome is Outcome.TEMPORARY or (done.outcome is Outcome.UNKNOWN and not spec.mutates)


def retry_later(draft: Draft, incident: Incident, run: Run, state: StepState, done: StepDone) -> None:
    wait = max(RETRY_MS * state.attempt, done.retry_after_ms)
    draft.withdraw(effect_id(run, state.id))
    _drop_timers(draft, run, state.id)
    draft.wake(
        Wake.RETRY,
        effect_id(run, state.id),
        draft.now + wait,
        incident=incident.id,
        what=f"try {state.id} again",
    )
    draft.note(incident.id, f"{run.runbook}: {state.id} failed ({done.error}); again in {wait // 1000} s")


def record(draft: Draft, run: Run, state: StepState, done: StepDone) -> Run:
    """Write the result down. A step that was only simulated turns the whole run into a dry run."""
    state = msgspec.structs.replace(
        state,
        outcome=str(done.outcome),
        output=done.output,
        error=done.error,
        request=done.request,
        params=done.params,
        ended_at=draft.now,
    )
    run = with_state(run, state)
    if findings.simulated(state):
        run = msgspec.structs.replace(run, mode="dry_run")
    draft.put_run(run)
    draft.withdraw(effect_id(run, state.id))
    _drop_timers(draft, run, state.id)
    return run


def forget(draft: Draft, run: Run) -> None:
    """Nothing of the run is awaited any more."""
    if run.at_step:
        draft.withdraw(effect_id(run, run.at_step))
        _drop_timers(draft, run, run.at_step)
    draft.unwake_all((Wake.RUN_DEADLINE, Wake.VERIFY, Wake.APPROVAL), run.id)


def _drop_timers(draft: Draft, run: Run, step: str) -> None:
    draft.unwake_all((Wake.UNCLAIMED, Wake.SILENT, Wake.RETRY), effect_id(run, step))
