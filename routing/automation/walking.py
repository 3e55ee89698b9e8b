"""How a run goes on, step by step. Waiting is a timer, never a worker.

A run goes through diagnose, guards, remediate and verify, or hands over to a person after its guards.
"""

import msgspec

from routing.automation import (
    approvals,
    checking,
    choosing,
    ending,
    facts,
    findings,
    runs,
    steps,
    undoing,
    verifying,
)
from routing.automation.ending import Finished
from routing.draft import Draft
from routing.entry import Outcome, StepDone
from routing.incident import Incident
from routing.language.template import TemplateGap
from routing.policy import Runbook
from routing.run import SKIPPED, Run, RunPhase
from routing.timer import Wake

MOST_ANEW = 2
"""So often a run looks once more; then somebody else is at the target all the time."""


def step_done(draft: Draft, incident: Incident, run: Run, done: StepDone) -> Finished | None:
    """Take the result of the step under way; a late or doubled one changes nothing."""
    runbook = runs.runbook_of(draft, run.runbook)
    if run.phase.over or run.at_step != done.step or runbook is None:
        return None
    state = steps.state_of(run, done.step)
    expected = done.attempt == state.attempt or (state.repeat and done.attempt < state.attempt)
    if not expected or state.outcome:
        return None
    spec = steps.spec_of(runbook, done.step)
    if steps.may_retry(spec, state, done):
        steps.retry_later(draft, incident, run, state, done)
        return None
    run = steps.record(draft, run, state, done)
    if run.undoes:
        undoing.done(draft, incident, run, done)
        return None
    undoing.expire(draft, incident, run, spec)
    if run.phase is RunPhase.VERIFY:
        return verifying.looked(draft, incident, run, runbook, done)
    if done.stale and run.anew < MOST_ANEW and not findings.has_changed_something(run):
        findings.tell(draft, incident, run, spec, done)
        return _anew(draft, incident, msgspec.structs.replace(run, anew=run.anew + 1))
    if done.outcome is not Outcome.OK and run.phase is RunPhase.REMEDIATE:
        # What a lock, a cap or the kill switch refused was not attempted: the breaker must not count it.
        phase = RunPhase.REFUSED if done.outcome is Outcome.REFUSED else RunPhase.FAILED
        findings.tell(draft, incident, run, spec, done)
        return ending.finish(draft, incident, run, phase, f"{spec.id} {findings.failure(done)}")
    findings.tell(draft, incident, run, spec, done)
    return _next(draft, incident, run, runbook)


def _next(draft: Draft, incident: Incident, run: Run, runbook: Runbook) -> Finished | None:
    order = [step.id for step in (*runbook.diagnose, *runbook.remediate)]
    following = order[order.index(run.at_step) + 1 :]
    if run.phase is RunPhase.DIAGNOSE and len(following) == len(runbook.remediate):
        stopped = checking.guarded(draft, incident, run, runbook)
        if stopped is not None:
            return stopped
        if runbook.task is not None:
            return ending.hand_over(draft, incident, run, runbook.task)
        choice = choosing.choose(draft, incident, run, runbook)
        run = choice.run
        if choice.stopped:
            return ending.finish(draft, incident, run, RunPhase.STOPPED, choice.stopped)
        why = approvals.needed(run, runbook, facts.of_run(draft, incident, run))
        if why:
            denied = approvals.ask(draft, incident, run, runbook, why)
            return ending.finish(draft, incident, run, RunPhase.REFUSED, denied) if denied else None
        run = msgspec.structs.replace(run, phase=RunPhase.REMEDIATE)
    following = [step for step in following if steps.state_of(run, step).outcome != SKIPPED]
    if following:
        return hand_out(draft, incident, run, following[0])
    if run.mode == "dry_run":
        would = findings.would_have(run)
        return ending.finish(draft, incident, run, RunPhase.STOPPED, f"dry run: would have done {would}")
    if runbook.verify is None:
        why = "nothing says any more how it is seen that the symptom is gone"
        return ending.finish(draft, incident, run, RunPhase.FAILED, why)
    run = msgspec.structs.replace(
        run,
        phase=RunPhase.VERIFY,
        deadline_at=min(run.deadline_at, draft.now + runbook.verify.timeout_ms),
    )
    draft.wake(
        Wake.RUN_DEADLINE, run.id, run.deadline_at, incident=incident.id, what="give up verifying the repair"
    )
    return hand_out(draft, incident, run, runbook.verify.step.id)


def go_on(draft: Draft, incident: Incident, run: Run) -> Finished | None:
    """It was approved. What was found before may be old: it is looked at anew, and the guards asked again."""
    runbook, approval = runs.runbook_of(draft, run.runbook), run.approval
    if runbook is None or approval is None:
        return None
    draft.unwake(Wake.APPROVAL, run.id)
    deadline = draft.now + runbook.timeout_ms
    run = msgspec.structs.replace(run, approved_by=approval.granted, deadline_at=deadline)
    what = f"give up on runbook {runbook.id}"
    draft.wake(Wake.RUN_DEADLINE, run.id, run.deadline_at, incident=incident.id, what=what)
    return _anew(draft, incident, run)


def _anew(draft: Draft, incident: Incident, run: Run) -> Finished | None:
    """From the first look on: nothing was changed yet, and what was found may be old."""
    steps_ = [msgspec.structs.replace(step, outcome="", output=None, error="") for step in run.steps]
    run = msgspec.structs.replace(run, phase=RunPhase.DIAGNOSE, steps=steps_)
    return hand_out(draft, incident, run, run.steps[0].id)


def hand_out(draft: Draft, incident: Incident, run: Run, step: str) -> Finished | None:
    try:
        steps.dispatch(draft, incident, run, step, facts.of_run(draft, incident, run))
    except TemplateGap as gap:
        return _unknown(draft, incident, run, step, f"it needs what nobody knows: {gap}")
    return None


def _unknown(draft: Draft, incident: Incident, run: Run, step: str, why: str) -> Finished | None:
    """What the step would need was not found. A task wants what else there is to find."""
    runbook = runs.runbook_of(draft, run.runbook)
    if runbook is not None and runbook.task is not None:
        state = steps.state_of(run, step)
        state = msgspec.structs.replace(state, outcome=str(Outcome.PERMANENT), error=why)
        run = msgspec.structs.replace(steps.with_state(run, state), at_step=step)
        draft.note(incident.id, f"{run.runbook}: {step} not asked: {why}")
        return _next(draft, incident, run, runbook)
    # Nothing was changed yet while it only looks: that is no failed repair.
    phase = RunPhase.STOPPED if run.phase is RunPhase.DIAGNOSE else RunPhase.FAILED
    return ending.finish(draft, incident, run, phase, f"{step}: {why}")


def verify_again(draft: Draft, incident: Incident, run: Run) -> Finished | None:
    runbook = runs.runbook_of(draft, run.runbook)
    if runbook is None or runbook.verify is None or run.phase is not RunPhase.VERIFY:
        return None
    return hand_out(draft, incident, run, runbook.verify.step.id)
