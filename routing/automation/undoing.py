"""Undoing: a change that was meant for a time is taken back when that time is over, or when somebody says so.

Its expiry is a timer in the log. Taking it back is a run of its own with one step; while it does not succeed it is
tried again, and people are told.
"""

from collections.abc import Iterator

import msgspec

from routing import duration
from routing.automation import facts, findings, runs, steps
from routing.decision import Table
from routing.draft import Draft
from routing.entry import Outcome, StepDone
from routing.incident import Incident
from routing.instant import HOUR, MINUTE, iso
from routing.language.template import TemplateGap
from routing.policy import Runbook, RunbookStep
from routing.reason import Reason
from routing.response import followups, informing
from routing.run import Run, RunPhase, StepState
from routing.timer import Timer, Wake

AGAIN_MS = 5 * MINUTE
"""What could not be taken back is tried again after so long, and ever more rarely."""
MAX_AGAIN_MS = HOUR


def expire(draft: Draft, incident: Incident, run: Run, spec: RunbookStep) -> None:
    """The step has made a change: it is taken back when its time is over."""
    state = steps.state_of(run, spec.id)
    if spec.undo is None or not spec.expires_ms or run.mode == "dry_run" or not findings.has_changed(state):
        return
    at, what = draft.now + spec.expires_ms, f"take back {spec.action}"
    draft.wake(Wake.UNDO, steps.effect_id(run, spec.id), at, incident=incident.id, what=what)
    draft.note(incident.id, f"{run.runbook}: {spec.id} is taken back at {iso(at)}", _reason(spec))


def due(draft: Draft, incident: Incident, change: str, tries: int) -> None:
    """The time of a change is over, or an attempt to take it back has failed before."""
    begin(draft, incident, change, "its time is over" if not tries else f"attempt {tries + 1}", tries)


def by_hand(draft: Draft, incident: Incident, run_id: str, by: str, via: str) -> None:
    """A person wants what a run has changed taken back now."""
    run = draft.run(run_id)
    changes = list(_changes(draft, run)) if run is not None and run.incident == incident.id else []
    if not changes:
        why = "nothing it has changed can be taken back"
        draft.note(incident.id, f"{by} asked to take back {run_id} via {via}: {why}", by=by)
    for change in changes:
        begin(draft, incident, change, f"{by} asked for it via {via}", 0)


def leave(draft: Draft, incident: Incident, run_id: str, reason: str, by: str, via: str) -> None:
    """A person says that what a run has changed stays: its end is called off, and no attempt follows."""
    waiting = [each for each in draft.owned(incident.id, Table.TIMER, Timer) if each.wake is Wake.UNDO]
    changes = [each.subject for each in waiting if steps.split_effect(each.subject)[0] == run_id]
    runs = [each for each in draft.owned(incident.id, Table.RUN, Run) if not each.phase.over]
    trying = [each for each in runs if steps.split_effect(each.undoes)[0] == run_id]
    if not changes and not trying:
        draft.note(
            incident.id, f"{by} gave up on taking back {run_id} via {via}: nothing of it waits to be", by=by
        )
        return
    for change in changes:
        draft.unwake(Wake.UNDO, change)
    for run in trying:
        _end(draft, run, RunPhase.STOPPED, f"given up by {by}: {reason}")
    for change in dict.fromkeys([*changes, *(run.undoes for run in trying)]):
        what = f"{change} is not taken back: {by} gave it up: {reason}"
        draft.note(incident.id, what, Reason(text=f"said via {via}"), by=by)
        incident = _tell(draft, incident, what)


def _changes(draft: Draft, run: Run) -> Iterator[str]:
    """What it changed and nobody has taken back or is at, the last change first."""
    runbook = runs.runbook_of(draft, run.runbook)
    gone = {
        other.undoes
        for other in draft.owned(run.incident, Table.RUN, Run)
        if other.undoes and other.phase not in {RunPhase.FAILED, RunPhase.STOPPED}
    }
    for state in reversed(run.steps):
        spec = steps.spec_of(runbook, state.id) if runbook else None
        change = steps.effect_id(run, state.id)
        if spec is not None and spec.undo is not None and findings.has_changed(state) and change not in gone:
            yield change


def begin(draft: Draft, incident: Incident, change: str, why: str, tries: int) -> None:
    """Start the run that takes the change ("INC-1-r1/attack_mode") back."""
    run_id, step = steps.split_effect(change)
    before = draft.run(run_id)
    runbook = runs.runbook_of(draft, before.runbook) if before else None
    spec = _spec(runbook, step)
    draft.unwake(Wake.UNDO, change)
    if before is None or spec is None or spec.undo is None:
        _give_up(draft, incident, change, "its runbook is no longer configured")
        return
    number = incident.runs + 1
    run = Run(
        id=f"{incident.id}-r{number}",
        incident=incident.id,
        runbook=before.runbook,
        runbook_version=before.runbook_version,
        target=before.target,
        mode="auto",
        phase=RunPhase.REMEDIATE,
        started_at=draft.now,
        deadline_at=draft.now + 2 * spec.undo.timeout_ms * spec.undo.attempts,
        steps=[StepState(id=spec.undo.id, action=spec.undo.action, mutates=True)],
        undoes=change,
        tries=tries,
    )
    draft.put_incident(msgspec.structs.replace(incident, runs=number))
    draft.note(incident.id, f"{run.runbook}: taking back {step}: {why}", _reason(spec.undo))
    what = f"give up on taking back {step}"
    draft.wake(Wake.RUN_DEADLINE, run.id, run.deadline_at, incident=incident.id, what=what)
    try:
        steps.dispatch(draft, incident, run, spec.undo.id, facts.of_run(draft, incident, run))
    except TemplateGap as gap:
        # Trying again finds no more of it: the change itself had no answer, or one without it.
        why = f"it needs what nobody knows: {gap}"
        _end(draft, run, RunPhase.FAILED, why)
        _give_up(draft, draft.incident(incident.id) or incident, change, why)


def _give_up(draft: Draft, incident: Incident, change: str, why: str) -> None:
    """Only a person can take it back."""
    what = f"{change} cannot be taken back: {why}; take it back by hand"
    draft.note(incident.id, what)
    _tell(draft, incident, what)


def done(draft: Draft, incident: Incident, run: Run, entry: StepDone) -> None:
    """The change was taken back, or could not be."""
    if entry.outcome is not Outcome.OK:
        failed(draft, incident, run, entry.error or str(entry.outcome))
        return
    _end(draft, run, RunPhase.SUCCEEDED, "taken back")
    spec = _spec(runs.runbook_of(draft, run.runbook), _step(run))
    how = findings.audit(spec.undo, entry) if spec is not None and spec.undo is not None else []
    draft.note(incident.id, f"{run.runbook}: {_step(run)} is taken back", *how, by=entry.by)


def failed(draft: Draft, incident: Incident, run: Run, why: str) -> None:
    """It stands as it was: people hear of it, and it is tried again."""
    _end(draft, run, RunPhase.FAILED, why)
    wait = min(AGAIN_MS << min(run.tries, 10), MAX_AGAIN_MS)
    what = f"{run.runbook}: {_step(run)} is not taken back: {why}"
    draft.note(incident.id, f"{what}; again in {duration.text(wait)}")
    at, again = draft.now + wait, f"take back {_step(run)}"
    draft.wake(Wake.UNDO, run.undoes, at, incident=incident.id, what=again, tries=run.tries + 1)
    if not run.tries:
        _tell(draft, draft.incident(incident.id) or incident, what)


def _tell(draft: Draft, incident: Incident, what: str) -> Incident:
    if incident.paged:
        return followups.report(draft, incident, what)
    return informing.inform(draft, incident, what)


def _end(draft: Draft, run: Run, phase: RunPhase, why: str) -> None:
    steps.forget(draft, run)
    draft.put_run(msgspec.structs.replace(run, phase=phase, why=why, ended_at=draft.now, at_step=""))


def _step(run: Run) -> str:
    return run.undoes.partition("/")[2]


def _spec(runbook: Runbook | None, step: str) -> RunbookStep | None:
    return next((each for each in runbook.remediate if each.id == step), None) if runbook else None


def _reason(spec: RunbookStep) -> Reason:
    return Reason(text=f"{spec.action} is meant for a time", rule=spec.id, origin=str(spec.origin))
