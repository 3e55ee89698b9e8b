"""The end of a run: the guard rails learn of it, and in one sentence the incident says what was tried.

Whatever ends it, the caller learns by `Finished` and lets the incident go on: resolved, or paged.
"""

import msgspec

from routing.automation import chains, facts, findings, guards, runs, steps, targets, tasks
from routing.decision import Table
from routing.draft import Draft
from routing.incident import FollowUp, Incident
from routing.language.template import fill_known
from routing.policy import Runbook, Task
from routing.reason import Reason
from routing.response import followups
from routing.run import Run, RunPhase


class Finished(msgspec.Struct, frozen=True):
    """A run is over. `repaired` only when the symptom was seen to be gone."""

    run: Run
    incident: Incident
    repaired: bool
    resolves: bool


def finish(draft: Draft, incident: Incident, run: Run, phase: RunPhase, why: str) -> Finished:
    """End the run, tell the guard rails, say in one sentence what was tried."""
    steps.forget(draft, run)
    run = msgspec.structs.replace(run, phase=phase, why=why, ended_at=draft.now, at_step="")
    draft.put_run(run)
    runbook = runs.runbook_of(draft, run.runbook)
    if runbook is not None:
        record = targets.of_run(draft, runbook, run.target)
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
    if runbook is not None and findings.has_changed_something(run):
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


def hand_over(draft: Draft, incident: Incident, run: Run, task: Task) -> Finished:
    """A person goes on from here. What the steps found stays with the run, whatever else could not be found."""
    runbook = runs.runbook_of(draft, run.runbook)
    if runbook is not None and runbook.mode == "dry_run":
        would = f"dry run: would have handed over: {task.text}"
        return finish(draft, incident, run, RunPhase.STOPPED, would)
    incident, why = tasks.opened(draft, incident, run, task)
    finished = finish(draft, incident, run, RunPhase.HANDED_OVER, why)
    return msgspec.structs.replace(finished, incident=tasks.tell(draft, finished.incident, finished.run))


def stop_all(draft: Draft, incident: Incident, why: str) -> Incident:
    """End what still runs for the incident; nobody verifies a change already made any more."""
    for run in runs.active(draft, incident):
        incident = finish(draft, incident, run, RunPhase.STOPPED, why).incident
    return incident
