"""Which runbook starts for an incident, and how: by what matches, after another, or by hand."""

from collections.abc import Mapping

import msgspec

from routing.automation import chains, facts, guards, runs, stops, targets, tasks, walking
from routing.decision import Table
from routing.draft import Draft
from routing.incident import Incident
from routing.language.template import fill_known
from routing.policy import Runbook
from routing.reason import Reason
from routing.run import Run, RunPhase, StepState
from routing.timer import Wake

_NONE: Mapping[str, str] = {}


def start(draft: Draft, incident: Incident, labels: dict[str, str]) -> tuple[Incident, Run | None]:
    """Start the first runbook that matches and that the guard rails let run. None: nothing new runs.

    Those that repair are asked first; what only hands over is for what none of them takes up. While one that repairs
    is under way for such an alert, what comes after it is its chain's to say.
    """
    under_way = [runs.runbook_of(draft, run.runbook) for run in runs.active(draft, incident)]
    if any(book and not book.hands_over and chains.fits(book, labels) for book in under_way):
        return incident, None
    for runbook in draft.policy.runbooks_by_labels.matching(labels):
        if runbook in under_way:
            continue
        if runbook.when_severity and incident.severity not in runbook.when_severity:
            continue
        incident, run = begin(draft, incident, runbook, labels)
        if run is not None:
            return incident, run
    return incident, None


def begin(
    draft: Draft, incident: Incident, runbook: Runbook, labels: dict[str, str]
) -> tuple[Incident, Run | None]:
    """Start this runbook for an alert of these labels. None: a guard rail said no."""
    return _start(draft, incident, runbook, labels=labels)


def target(incident: Incident, runbook: Runbook, run: str, now: int, labels: Mapping[str, str]) -> str:
    """What a run of it would act on, for an alert of these labels.

    Where they do not say it, the run stops at the step that must know: no alert is undecidable for want of a label.
    """
    return fill_known(runbook.target, facts.of_incident(incident, run, now, labels), tasks.UNKNOWN)


def start_next(draft: Draft, incident: Incident, ended: Run) -> tuple[Incident, Run | None]:
    """A run has not repaired it: try what comes next, within all guard rails."""
    for runbook in chains.following(draft, incident, ended):
        incident, run = _start(draft, incident, runbook, ended.requested_by, ended, labels=ended.labels)
        if run is not None:
            return incident, run
    return incident, None


def start_by_hand(
    draft: Draft, incident: Incident, name: str, by: str, via: str, inputs: Mapping[str, str] = _NONE
) -> None:
    """A person starts a runbook for an incident, whatever it matches. All guard rails hold; they cannot approve it.

    `inputs` are those that they word themselves.
    """
    runbook = runs.runbook_of(draft, name)
    if runbook is None or runbook.mode == "off":
        why = "it is switched off" if runbook else "there is no such runbook"
        draft.note(incident.id, f"{by} asked to run {name} via {via}: {why}", by=by)
        return
    if any(run.runbook == name for run in runs.active(draft, incident)):
        draft.note(incident.id, f"{by} asked to run {name} via {via}: it is under way", by=by)
        return
    draft.note(incident.id, f"runbook {name} started by {by} via {via}", by=by)
    _start(draft, incident, runbook, by, inputs=inputs)


def _start(
    draft: Draft,
    incident: Incident,
    runbook: Runbook,
    by: str = "",
    before: Run | None = None,
    inputs: Mapping[str, str] = _NONE,
    labels: Mapping[str, str] = _NONE,
) -> tuple[Incident, Run | None]:
    number = incident.runs + 1
    own = dict(labels) if labels != incident.labels else {}
    run = _new(incident, runbook, f"{incident.id}-r{number}", draft.now, by, own)
    worded = {name: inputs.get(name) or text for name, text in runbook.inputs.items()}
    run = msgspec.structs.replace(run, follows=before.id if before else "", inputs=worded)
    incident = msgspec.structs.replace(incident, runs=number)
    record = targets.of_run(draft, runbook, run.target)
    reads = runbook.mode == "dry_run" or runbook.hands_over
    by_hand = bool(by) and before is None
    stopped = stops.reason(draft, by_hand=by_hand, reads=reads)
    stopped = stopped or ("" if by_hand else tasks.waiting(draft, incident, runbook))
    purses = targets.purses(draft, runbook, reads=reads)
    permit = guards.permit(record, runbook.limits, purses, run.id, draft.now, stopped=stopped)
    why = Reason(
        text=f"{before.runbook} {before.phase.words}"
        if before
        else f"it matches {own.get('kind') or incident.title}",
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
    does = "looks for what a person will need" if runbook.hands_over else "is running"
    incident = msgspec.structs.replace(incident, tried=f"{chains.tried(draft, run)}{runbook.title} {does}")
    draft.put_incident(incident)
    ended = walking.hand_out(draft, incident, run, run.steps[0].id)
    if ended is None:
        return incident, run
    return ended.incident, ended.run if ended.run.phase is RunPhase.HANDED_OVER else None


def _new(incident: Incident, runbook: Runbook, run: str, now: int, by: str, labels: dict[str, str]) -> Run:
    return Run(
        id=run,
        incident=incident.id,
        runbook=runbook.id,
        runbook_version=runbook.version,
        target=target(incident, runbook, run, now, labels),
        mode=runbook.mode,
        phase=RunPhase.DIAGNOSE,
        started_at=now,
        deadline_at=now + runbook.timeout_ms,
        requested_by=by,
        labels=labels,
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
