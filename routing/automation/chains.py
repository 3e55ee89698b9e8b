"""Chains: what is tried for the same incident when a run fails. They are short, and come back to nothing."""

from routing.automation import steps
from routing.decision import Table
from routing.draft import Draft
from routing.incident import Alert, Incident
from routing.policy import Runbook
from routing.run import Run

MOST = 4
"""So many runs may follow each other, each for the failure of the one before."""


def following(draft: Draft, incident: Incident, failed: Run) -> Runbook | None:
    """The runbook to try now; None where none is named, or it may not be tried, which is noted."""
    before = steps.runbook_of(draft, failed.runbook)
    name = before.next_on_failure if before else ""
    if not name:
        return None
    runbook = steps.runbook_of(draft, name)
    if runbook is None or runbook.mode == "off":
        problem = "it is switched off" if runbook else "it is no longer configured"
    else:
        problem = _misfit(draft, incident, failed, runbook)
    if problem:
        draft.note(incident.id, f"runbook {failed.runbook} failed, and {name} is not tried: {problem}")
    return None if problem else runbook


def tried(draft: Draft, run: Run) -> str:
    """What the runs before this one in its chain tried and found, for the sentence that says it all; "" for none."""
    before = draft.run(run.follows)
    if before is None:
        return ""
    runbook = steps.runbook_of(draft, before.runbook)
    title = runbook.title if runbook else before.runbook
    return f"{tried(draft, before)}{title}: {before.phase.words}, {before.why}; then "


def _misfit(draft: Draft, incident: Incident, failed: Run, runbook: Runbook) -> str:
    """Why it is not for this incident now; "" when it is."""
    if _length(draft, failed) >= MOST:
        return f"{MOST} runs in a row have failed"
    runs = draft.owned(incident.id, Table.RUN, Run)
    if any(run.runbook == runbook.id and not run.phase.over and not run.undoes for run in runs):
        return "it is under way"
    alerts = [each.labels for each in draft.owned(incident.id, Table.ALERT, Alert) if each.firing]
    fits = (all(matcher.matches(each) for matcher in runbook.matchers) for each in (incident.labels, *alerts))
    if not any(fits):
        return "it is for other alerts"
    if runbook.when_severity and incident.severity not in runbook.when_severity:
        return f"it is not for {incident.severity}"
    return ""


def _length(draft: Draft, run: Run | None) -> int:
    """Of the chain that ends with this run."""
    return 1 + _length(draft, draft.run(run.follows)) if run is not None else 0
