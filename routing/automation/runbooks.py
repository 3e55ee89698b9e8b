"""Runbooks: which one starts, and how a run goes on step by step. Waiting is a timer, never a worker.

A run goes through diagnose, guards, remediate and verify, or hands over to a person after its guards. Whatever
ends it, the caller learns by `Finished` and lets the incident go on: resolved, or paged.
"""

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from routing.automation import (
    approvals,
    chains,
    choosing,
    conditions,
    facts,
    guards,
    steps,
    stops,
    tasks,
    undoing,
)
from routing.decision import Table
from routing.draft import Draft
from routing.entry import Outcome, StepDone
from routing.errors import TocsinError
from routing.incident import FollowUp, Incident
from routing.language import expressions
from routing.language.template import TemplateGap, fill, fill_known
from routing.policy import Runbook, RunbookStep, Task
from routing.reason import Reason
from routing.response import followups
from routing.run import SKIPPED, Run, RunPhase, StepState, TargetRecord
from routing.timer import Wake

MOST_ANEW = 2
"""So often a run looks once more; then somebody else is at the target all the time."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A run is over. `repaired` only when the symptom was seen to be gone."""

    run: Run
    incident: Incident
    repaired: bool
    resolves: bool


def start(draft: Draft, incident: Incident, labels: dict[str, str]) -> tuple[Incident, Run | None]:
    """Start the first runbook that matches and that the guard rails let run. None: nothing new runs.

    Those that repair are asked first; what only hands over is for what none of them takes up. While one that repairs
    is under way for such an alert, what comes after it is its chain's to say.
    """
    under_way = [steps.runbook_of(draft, run.runbook) for run in active(draft, incident)]
    if any(book and not chains.hands_over(book) and chains.fits(book, labels) for book in under_way):
        return incident, None
    for runbook in chains.in_order(draft.policy.runbooks):
        if runbook.mode == "off" or runbook in under_way or not chains.fits(runbook, labels):
            continue
        if runbook.when_severity and incident.severity not in runbook.when_severity:
            continue
        incident, run = _start(draft, incident, runbook)
        if run is not None:
            return incident, run
    return incident, None


def repairs(draft: Draft, run: Run) -> bool:
    """Whether it may end the incident, so that a page may wait for it."""
    runbook = steps.runbook_of(draft, run.runbook)
    return runbook is None or runbook.task is None


def start_next(draft: Draft, incident: Incident, ended: Run) -> tuple[Incident, Run | None]:
    """A run has not repaired it: try what comes next, within all guard rails."""
    for runbook in chains.following(draft, incident, ended):
        incident, run = _start(draft, incident, runbook, ended.requested_by, ended)
        if run is not None:
            return incident, run
    return incident, None


def start_by_hand(draft: Draft, incident: Incident, name: str, by: str, via: str) -> None:
    """A person starts a runbook for an incident, whatever it matches. All guard rails hold; they cannot approve it."""
    runbook = steps.runbook_of(draft, name)
    if runbook is None or runbook.mode == "off":
        why = "it is switched off" if runbook else "there is no such runbook"
        draft.note(incident.id, f"{by} asked to run {name} via {via}: {why}", by=by)
        return
    if any(run.runbook == name for run in active(draft, incident)):
        draft.note(incident.id, f"{by} asked to run {name} via {via}: it is under way", by=by)
        return
    draft.note(incident.id, f"runbook {name} started by {by} via {via}", by=by)
    _start(draft, incident, runbook, by)


def _start(
    draft: Draft, incident: Incident, runbook: Runbook, by: str = "", before: Run | None = None
) -> tuple[Incident, Run | None]:
    number = incident.runs + 1
    run = _new(incident, runbook, f"{incident.id}-r{number}", draft.now, by)
    run = msgspec.structs.replace(run, follows=before.id if before else "")
    incident = msgspec.structs.replace(incident, runs=number)
    record = _target_record(draft, runbook, run.target)
    reads = runbook.mode == "dry_run" or chains.hands_over(runbook)
    by_hand = bool(by) and before is None
    stopped = stops.reason(draft, by_hand=by_hand, reads=reads)
    stopped = stopped or ("" if by_hand else tasks.waiting(draft, incident, runbook))
    purses = _purses(draft, runbook, reads=reads)
    permit = guards.permit(record, runbook.limits, purses, run.id, draft.now, stopped=stopped)
    why = Reason(
        text=f"{before.runbook} {before.phase.words}" if before else f"it matches {incident.title}",
        rule=f"runbook {runbook.id}",
        origin=str(runbook.origin),
    )
    if permit.refusal:
        return _refused(draft, incident, run, runbook, permit.refusal, why), None
    for each in permit.records:
        draft.put(Table.TARGET, each.key, each)
    how = " (dry run)" if runbook.mode == "dry_run" else ""
    draft.note(incident.id, f"runbook {runbook.id} started on {run.target}{how}", why)
    what = f"give up on runbook {runbook.id}"
    draft.wake(Wake.RUN_DEADLINE, run.id, run.deadline_at, incident=incident.id, what=what)
    does = "looks for what a person will need" if chains.hands_over(runbook) else "is running"
    incident = msgspec.structs.replace(incident, tried=f"{chains.tried(draft, run)}{runbook.title} {does}")
    draft.put_incident(incident)
    ended = _hand_out(draft, incident, run, run.steps[0].id)
    if ended is None:
        return incident, run
    return ended.incident, ended.run if ended.run.phase is RunPhase.HANDED_OVER else None


def _new(incident: Incident, runbook: Runbook, run: str, now: int, by: str) -> Run:
    return Run(
        id=run,
        incident=incident.id,
        runbook=runbook.id,
        runbook_version=runbook.version,
        target=str(fill(runbook.target, facts.of_incident(incident, run, now))),
        mode=runbook.mode,
        phase=RunPhase.DIAGNOSE,
        started_at=now,
        deadline_at=now + runbook.timeout_ms,
        requested_by=by,
        steps=[StepState(id=step.id, action=step.action, mutates=step.mutates) for step in runbook.steps],
    )


def _refused(
    draft: Draft, incident: Incident, run: Run, runbook: Runbook, refusal: str, why: Reason
) -> Incident:
    """A guard rail said no: the run is kept, so that anybody can see that it would have run, and why it did not."""
    draft.put_run(msgspec.structs.replace(run, phase=RunPhase.REFUSED, why=refusal, ended_at=draft.now))
    draft.note(incident.id, f"runbook {runbook.id} not run: {refusal}", why)
    incident = msgspec.structs.replace(
        incident, tried=f"{chains.tried(draft, run)}{runbook.title} was not run: {refusal}"
    )
    draft.put_incident(incident)
    return incident


def step_done(draft: Draft, incident: Incident, run: Run, done: StepDone) -> Finished | None:
    """Take the result of the step under way; a late or doubled one changes nothing."""
    runbook = steps.runbook_of(draft, run.runbook)
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
        return _verified(draft, incident, run, runbook, done)
    if done.stale and run.anew < MOST_ANEW and not steps.has_changed_something(run):
        _tell(draft, incident, run, spec, done)
        return _anew(draft, incident, msgspec.structs.replace(run, anew=run.anew + 1))
    if done.outcome is not Outcome.OK and run.phase is RunPhase.REMEDIATE:
        # What a lock, a cap or the kill switch refused was not attempted: the breaker must not count it.
        phase = RunPhase.REFUSED if done.outcome is Outcome.REFUSED else RunPhase.FAILED
        _tell(draft, incident, run, spec, done)
        return finish(draft, incident, run, phase, f"{spec.id} {_failure(done)}")
    _tell(draft, incident, run, spec, done)
    return _next(draft, incident, run, runbook)


def _next(draft: Draft, incident: Incident, run: Run, runbook: Runbook) -> Finished | None:
    order = [step.id for step in (*runbook.diagnose, *runbook.remediate)]
    following = order[order.index(run.at_step) + 1 :]
    if run.phase is RunPhase.DIAGNOSE and len(following) == len(runbook.remediate):
        stopped = _guarded(draft, incident, run, runbook)
        if stopped is not None:
            return stopped
        if runbook.task is not None:
            return hand_over(draft, incident, run, runbook.task)
        choice = choosing.choose(draft, incident, run, runbook)
        run = choice.run
        if choice.stopped:
            return finish(draft, incident, run, RunPhase.STOPPED, choice.stopped)
        why = approvals.needed(run, runbook, facts.of_run(draft, incident, run))
        if why:
            denied = approvals.ask(draft, incident, run, runbook, why)
            return finish(draft, incident, run, RunPhase.REFUSED, denied) if denied else None
        run = msgspec.structs.replace(run, phase=RunPhase.REMEDIATE)
    following = [step for step in following if steps.state_of(run, step).outcome != SKIPPED]
    if following:
        return _hand_out(draft, incident, run, following[0])
    if run.mode == "dry_run":
        would = steps.would_have(run)
        return finish(draft, incident, run, RunPhase.STOPPED, f"dry run: would have done {would}")
    if runbook.verify is None:
        why = "nothing says any more how it is seen that the symptom is gone"
        return finish(draft, incident, run, RunPhase.FAILED, why)
    run = msgspec.structs.replace(
        run,
        phase=RunPhase.VERIFY,
        deadline_at=min(run.deadline_at, draft.now + runbook.verify.timeout_ms),
    )
    draft.wake(
        Wake.RUN_DEADLINE, run.id, run.deadline_at, incident=incident.id, what="give up verifying the repair"
    )
    return _hand_out(draft, incident, run, runbook.verify.step.id)


def go_on(draft: Draft, incident: Incident, run: Run) -> Finished | None:
    """It was approved. What was found before may be old: it is looked at anew, and the guards asked again."""
    runbook, approval = steps.runbook_of(draft, run.runbook), run.approval
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
    return _hand_out(draft, incident, run, run.steps[0].id)


def _hand_out(draft: Draft, incident: Incident, run: Run, step: str) -> Finished | None:
    try:
        steps.dispatch(draft, incident, run, step, facts.of_run(draft, incident, run))
    except TemplateGap as gap:
        return _unknown(draft, incident, run, step, f"it needs what nobody knows: {gap}")
    return None


def _unknown(draft: Draft, incident: Incident, run: Run, step: str, why: str) -> Finished | None:
    """What the step would need was not found. A task wants what else there is to find."""
    runbook = steps.runbook_of(draft, run.runbook)
    if runbook is not None and runbook.task is not None:
        state = steps.state_of(run, step)
        state = msgspec.structs.replace(state, outcome=str(Outcome.PERMANENT), error=why)
        run = msgspec.structs.replace(steps.with_state(run, state), at_step=step)
        draft.note(incident.id, f"{run.runbook}: {step} not asked: {why}")
        return _next(draft, incident, run, runbook)
    # Nothing was changed yet while it only looks: that is no failed repair.
    phase = RunPhase.STOPPED if run.phase is RunPhase.DIAGNOSE else RunPhase.FAILED
    return finish(draft, incident, run, phase, f"{step}: {why}")


def _guarded(draft: Draft, incident: Incident, run: Run, runbook: Runbook) -> Finished | None:
    """Check every guard before the first change. One that cannot be judged does not hold.

    Nor does it end what only hands over: what could not be found out is for the person to find.
    """
    known, unchecked = facts.of_run(draft, incident, run), 0
    for guard in runbook.guards:
        judged = conditions.judge(guard.condition, run, known)
        unmade = run.mode == "dry_run" and steps.unmade(run, guard.condition)
        if judged.holds and not unmade:
            continue
        if unmade or (judged.problem and runbook.task is not None):
            why = judged.problem if judged.problem and not unmade else "its facts were not fetched (dry run)"
            reason = Reason(text=why, origin=str(guard.origin))
            draft.note(incident.id, f"{run.runbook}: guard not checked: {guard.reason}", reason)
            unchecked += 1
            continue
        trouble = judged.problem or steps.troubles(run)
        why = guard.reason + (f"; {trouble}" if trouble else "")
        phase = RunPhase.FAILED if guard.otherwise == "fail" else RunPhase.STOPPED
        reason = Reason(text=why, origin=str(guard.origin))
        draft.note(incident.id, f"{run.runbook}: guard stopped it", reason)
        return finish(draft, incident, run, phase, why)
    hold = f"all {len(runbook.guards)}" if not unchecked else f"{len(runbook.guards) - unchecked}"
    draft.note(incident.id, f"{run.runbook}: {hold} guards hold")
    return None


def hand_over(draft: Draft, incident: Incident, run: Run, task: Task) -> Finished:
    """A person goes on from here. What the steps found stays with the run, whatever else could not be found."""
    runbook = steps.runbook_of(draft, run.runbook)
    if runbook is not None and runbook.mode == "dry_run":
        would = f"dry run: would have handed over: {task.text}"
        return finish(draft, incident, run, RunPhase.STOPPED, would)
    incident, why = tasks.opened(draft, incident, run, task)
    finished = finish(draft, incident, run, RunPhase.HANDED_OVER, why)
    return replace(finished, incident=tasks.tell(draft, finished.incident, finished.run))


def _verified(
    draft: Draft, incident: Incident, run: Run, runbook: Runbook, done: StepDone
) -> Finished | None:
    """One look at the symptom. It must stay gone for the whole of `for_ms`."""
    verify = runbook.verify
    if verify is None:
        return None
    good = done.outcome is Outcome.OK and _holds(verify.until, done.output)
    if not good:
        what = f"{run.runbook}: not verified yet: {_result(done)}"
        draft.note(incident.id, what, *steps.audit(verify.step, done), by=done.by)
    until = (run.verify_until or draft.now + verify.for_ms) if good else 0
    run = msgspec.structs.replace(run, verified=run.verified + 1 if good else 0, verify_until=until)
    if good and draft.now >= until:
        _tell(draft, incident, run, verify.step, done)
        checks = f"the symptom is gone: {run.verified} good checks in a row"
        return finish(draft, incident, run, RunPhase.SUCCEEDED, checks)
    draft.put_run(run)
    draft.wake(
        Wake.VERIFY,
        run.id,
        draft.now + verify.every_ms,
        incident=incident.id,
        what="look at the symptom again",
    )
    return None


def verify_again(draft: Draft, incident: Incident, run: Run) -> Finished | None:
    runbook = steps.runbook_of(draft, run.runbook)
    if runbook is None or runbook.verify is None or run.phase is not RunPhase.VERIFY:
        return None
    return _hand_out(draft, incident, run, runbook.verify.step.id)


def finish(draft: Draft, incident: Incident, run: Run, phase: RunPhase, why: str) -> Finished:
    """End the run, tell the guard rails, say in one sentence what was tried."""
    steps.forget(draft, run)
    run = msgspec.structs.replace(run, phase=phase, why=why, ended_at=draft.now, at_step="")
    draft.put_run(run)
    runbook = steps.runbook_of(draft, run.runbook)
    if runbook is not None:
        record = _target_record(draft, runbook, run.target)
        if phase is RunPhase.SUCCEEDED:
            record = guards.succeeded(record)
        elif phase is RunPhase.FAILED:
            record = guards.failed(record, runbook.limits, draft.now)
        else:
            record = guards.ended(record)
        draft.put(Table.TARGET, record.key, record)
    title = runbook.title if runbook else run.runbook
    tried = f"{chains.tried(draft, run)}{title}: {phase.words}, {why}"
    incident = msgspec.structs.replace(incident, tried=tried)
    draft.note(incident.id, f"runbook {run.runbook} {phase.words}: {why}")
    if phase is RunPhase.FAILED:
        draft.bury("unremediated", run.id, incident.id, f"runbook {run.runbook} failed: {why}")
    repaired = phase is RunPhase.SUCCEEDED
    if runbook is not None and steps.has_changed_something(run):
        incident = _owe(draft, incident, run, runbook)
    draft.put_incident(incident)
    return Finished(run, incident, repaired, repaired and runbook is not None and runbook.resolves)


def _owe(draft: Draft, incident: Incident, run: Run, runbook: Runbook) -> Incident:
    """What was changed may leave work behind, however the run ended: reminded of until done."""
    owed = list(incident.followups)
    for number, (text, after) in enumerate(runbook.followups, start=1):
        words = fill_known(text, facts.of_run(draft, incident, run), tasks.UNKNOWN)
        followup = FollowUp(
            id=f"{run.id}-f{number}", text=words, opened_at=draft.now, remind_at=draft.now + after
        )
        owed.append(followup)
        draft.note(incident.id, f"follow-up: {words}", Reason(text="left behind by the repair"))
        followups.wake(draft, incident, followup)
    return msgspec.structs.replace(incident, followups=owed)


def stop_all(draft: Draft, incident: Incident, why: str) -> Incident:
    """End what still runs for the incident; nobody verifies a change already made any more."""
    for run in active(draft, incident):
        incident = finish(draft, incident, run, RunPhase.STOPPED, why).incident
    return incident


def active(draft: Draft, incident: Incident) -> list[Run]:
    """The repairs under way. What takes a change back is none of them, and goes on whatever becomes of the incident."""
    runs = draft.owned(incident.id, Table.RUN, Run)
    return [run for run in runs if not run.phase.over and not run.undoes]


def _holds(condition: str, output: Any) -> bool:
    try:
        return expressions.holds(condition, output if isinstance(output, dict) else {"output": output})
    except TocsinError:
        return False


def _tell(draft: Draft, incident: Incident, run: Run, spec: RunbookStep, done: StepDone) -> None:
    """A line of the timeline, which is only ever added to: who did it, by which rule, with what, and what came."""
    what = f"{run.runbook}: {spec.id} {_result(done)}"
    draft.note(incident.id, what, *steps.audit(spec, done), by=done.by)


def _failure(done: StepDone) -> str:
    return f"{done.outcome}: {done.error}" if done.error else str(done.outcome)


def _result(done: StepDone) -> str:
    if done.outcome is not Outcome.OK:
        return _failure(done)
    return f"found {steps.brief(done.output)}"


def _target_record(draft: Draft, runbook: Runbook, target: str) -> TargetRecord:
    return _lately(draft, f"{runbook.id}@{target}")


def _purses(draft: Draft, runbook: Runbook, *, reads: bool) -> list[guards.Purse]:
    """The budgets over all targets. What only `reads` takes nothing from those who change something."""
    own = guards.Purse(runbook.id, runbook.limits.everywhere, _lately(draft, runbook.id))
    overall = guards.Purse("all runbooks", draft.policy.runs, _lately(draft, "@"))
    return [own] if reads else [own, overall]


def _lately(draft: Draft, key: str) -> TargetRecord:
    return draft.find(Table.TARGET, key, TargetRecord) or TargetRecord(key=key)
