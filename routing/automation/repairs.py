"""Where a run meets its incident: a repair resolves it, anything else lets the page go out."""

from routing.automation import approvals, chains, ending, joining, runs, starting, undoing, walking
from routing.automation.approvals import Vote
from routing.automation.ending import Finished
from routing.draft import Draft
from routing.entry import StepDone
from routing.incident import Incident, Phase
from routing.reason import Reason
from routing.response import closing, followups, responding
from routing.run import Run, RunPhase

NAMED = 5
"""Alerts that a repair has not repaired, named in the timeline."""


def step_done(draft: Draft, entry: StepDone) -> None:
    run = draft.run(entry.run)
    incident = draft.incident(run.incident) if run else None
    if run is not None and incident is not None:
        after(draft, walking.step_done(draft, incident, run, entry))


def gave_up(draft: Draft, incident: Incident, run: Run, why: str) -> None:
    """The run's time is up."""
    if run.undoes:
        undoing.failed(draft, incident, run, why)
        return
    runbook = runs.runbook_of(draft, run.runbook)
    if runbook is not None and runbook.task is not None:
        draft.note(incident.id, f"{run.runbook}: {why}, so it hands over what was found by then")
        after(draft, ending.hand_over(draft, incident, run, runbook.task))
    else:
        after(draft, ending.finish(draft, incident, run, RunPhase.FAILED, why))


def approved(draft: Draft, incident: Incident, run_id: str, by: str, via: str) -> None:
    """A person says yes to a run that waits; without `run_id` to the one there is."""
    if (run := _waiting(draft, incident, run_id, by)) is not None:
        vote = approvals.approve(draft, incident, run, by, via)
        if vote is Vote.GRANTED:
            after(draft, walking.go_on(draft, incident, draft.run(run.id) or run))


def denied(draft: Draft, incident: Incident, run_id: str, by: str, via: str) -> None:
    """A person says no."""
    if (run := _waiting(draft, incident, run_id, by)) is not None:
        why = f"denied by {by} via {via}"
        after(draft, ending.finish(draft, incident, run, RunPhase.REFUSED, why))


def unanswered(draft: Draft, incident: Incident, run: Run) -> None:
    """Nobody has approved in time."""
    if run.phase is RunPhase.WAITING and run.approval is not None:
        given = len(run.approval.granted)
        why = f"denied: {given} of {run.approval.people} approved in time, and no answer means no"
        after(draft, ending.finish(draft, incident, run, RunPhase.REFUSED, why))


def _waiting(draft: Draft, incident: Incident, run_id: str, by: str) -> Run | None:
    waiting = [each for each in runs.active(draft, incident) if each.phase is RunPhase.WAITING]
    found = next((each for each in waiting if run_id in {"", each.id}), None)
    if found is None:
        draft.note(incident.id, f"{by} answered, and {run_id or 'no run'} does not wait for approval", by=by)
    return found


def after(draft: Draft, finished: Finished | None) -> None:
    """Let the incident go on after a run."""
    if finished is None or finished.incident.phase is Phase.RESOLVED:
        return
    incident, run = finished.incident, finished.run
    left = joining.unrepaired(draft, incident) if finished.resolves else []
    if finished.resolves and not left:
        reason = Reason(text=run.why, rule=f"runbook {run.runbook}")
        closing.resolve(
            draft, incident, f"runbook {run.runbook}", f"repaired by runbook {run.runbook}", reason
        )
        return
    incident, following = starting.start_next(draft, incident, run)
    goes_on = following is not None and run.phase is not RunPhase.FAILED
    if following is not None and runs.repairs(draft, following):
        # What was held stays held, and no longer: its timer is as it was.
        if not goes_on:
            _report(draft, incident, run, f"; {following.runbook} is tried")
        return
    if run.phase is RunPhase.HANDED_OVER:
        return
    if left:
        titles = ", ".join(dict.fromkeys(each.title for each in left[:NAMED]))
        draft.note(incident.id, f"repaired by runbook {run.runbook}, but for {titles}")
        if any(runs.repairs(draft, each) for each in runs.active(draft, incident)):
            _report(draft, incident, run)
            return
    if incident.held_until and runs.repairs(draft, run):
        helped = "helped, and it is not over by that" if finished.repaired else "did not help"
        responding.release_hold(draft, incident, f"the repair {helped}: {run.phase}, {run.why}")
    elif not goes_on:
        _report(draft, incident, run)


def _report(draft: Draft, incident: Incident, run: Run, more: str = "") -> None:
    """To whoever was paged. What stopped before it is said with it: nobody is told of each guard by itself."""
    if incident.paged:
        before = chains.tried(draft, run)
        followups.report(draft, incident, f"{before}Runbook {run.runbook} {run.phase}: {run.why}{more}")
