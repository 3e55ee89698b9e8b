"""Where a run meets its incident: a repair resolves it, anything else lets the page go out."""

from routing.automation import runbooks
from routing.draft import Draft
from routing.entry import StepDone
from routing.incident import Incident, Phase
from routing.reason import Reason
from routing.response import closing, followups, responding
from routing.run import Run, RunPhase


def step_done(draft: Draft, entry: StepDone) -> None:
    run = draft.run(entry.run)
    incident = draft.incident(run.incident) if run else None
    if run is not None and incident is not None:
        after(draft, runbooks.step_done(draft, incident, run, entry))


def gave_up(draft: Draft, incident: Incident, run: Run, why: str) -> None:
    """The run's time is up."""
    after(draft, runbooks.finish(draft, incident, run, RunPhase.FAILED, why))


def after(draft: Draft, finished: runbooks.Finished | None) -> None:
    """Let the incident go on after a run."""
    if finished is None or finished.incident.phase is Phase.RESOLVED:
        return
    incident, run = finished.incident, finished.run
    if finished.resolves:
        reason = Reason(text=run.why, rule=f"runbook {run.runbook}")
        closing.resolve(
            draft, incident, f"runbook {run.runbook}", f"repaired by runbook {run.runbook}", reason
        )
    elif incident.held_until:
        responding.release_hold(draft, incident, f"the repair did not help: {run.phase}, {run.why}")
    elif incident.paged:
        followups.report(draft, incident, f"Runbook {run.runbook} {run.phase}: {run.why}")
