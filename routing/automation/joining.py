"""Joining: what joins an open incident may need a repair of its own, for another cause or on another target.

The same runbook on the same target runs once for an incident. The incident is over by a repair only when each of its
alerts that a runbook repairs was repaired.
"""

from collections.abc import Mapping

from routing.automation import starting
from routing.decision import Table
from routing.draft import Draft
from routing.incident import Alert, Incident
from routing.noise import mutes
from routing.policy import Runbook
from routing.run import Run, RunPhase

MOST = 20
"""So many runs of one incident; what joins after that starts none."""


def start(draft: Draft, incident: Incident, labels: dict[str, str]) -> None:
    """An alert of these labels has joined: start the first runbook for it that has not run for its target yet."""
    if incident.drill or mutes.covering(draft, labels) is not None:
        return
    for runbook in _fitting(draft, incident, labels):
        known = _runs(draft, incident)
        if len(known) >= MOST or _taken_up(incident, runbook, labels, known, draft.now):
            return
        incident, run = starting.begin(draft, incident, runbook, labels)
        if len(known) == MOST - 1:
            draft.note(incident.id, f"after {MOST} runs no further one is started for what joins")
        if run is not None:
            return


def unrepaired(draft: Draft, incident: Incident) -> list[Alert]:
    """Alerts that fire, that a runbook repairs, and that no run of the incident has."""
    known = _runs(draft, incident)
    if len(known) < 2:  # noqa: PLR2004  # the one there was is what repaired it
        return []
    firing = [each for each in draft.owned(incident.id, Table.ALERT, Alert) if each.firing]
    good = [each for run in known if run.phase is RunPhase.SUCCEEDED for each in _chain(draft, run)]
    return [each for each in firing if not _repaired(draft, incident, each, good)]


def _repaired(draft: Draft, incident: Incident, alert: Alert, good: list[Run]) -> bool:
    fitting = [each for each in _fitting(draft, incident, alert.labels) if not each.hands_over]
    return not fitting or any(_taken_up(incident, each, alert.labels, good, draft.now) for each in fitting)


def _fitting(draft: Draft, incident: Incident, labels: Mapping[str, str]) -> list[Runbook]:
    found = draft.policy.runbooks_by_labels.matching(labels)
    return [each for each in found if not each.when_severity or incident.severity in each.when_severity]


def _taken_up(
    incident: Incident, runbook: Runbook, labels: dict[str, str], known: list[Run], now: int
) -> bool:
    """Whether one of the runs is of this runbook, for the target it would have. What hands over does so once."""
    own = [run for run in known if run.runbook == runbook.id]
    if not own or runbook.hands_over:
        return bool(own)
    target = starting.target(incident, runbook, own[0].id, now, labels)
    return any(run.target == target for run in own)


def _runs(draft: Draft, incident: Incident) -> list[Run]:
    return [run for run in draft.owned(incident.id, Table.RUN, Run) if not run.undoes]


def _chain(draft: Draft, run: Run | None) -> list[Run]:
    return [*_chain(draft, draft.run(run.follows)), run] if run is not None else []
