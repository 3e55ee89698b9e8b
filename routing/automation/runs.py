"""Runs: which of them are under way for an incident, and by which runbook."""

from routing.decision import Table
from routing.draft import Draft
from routing.incident import Incident
from routing.policy import Runbook
from routing.run import Run

_RUN = Table.RUN  # named once, as in `routing.draft`


def runbook_of(draft: Draft, name: str) -> Runbook | None:
    """As it is configured now; None when it no longer is."""
    return draft.policy.runbooks_by_id.get(name)


def active(draft: Draft, incident: Incident) -> list[Run]:
    """The repairs under way. What takes a change back is none of them, and goes on whatever becomes of the incident."""
    runs = draft.owned(incident.id, _RUN, Run)
    return [run for run in runs if not run.phase.over and not run.undoes]


def repairs(draft: Draft, run: Run) -> bool:
    """Whether it may end the incident, so that a page may wait for it."""
    runbook = runbook_of(draft, run.runbook)
    return runbook is None or runbook.task is None
