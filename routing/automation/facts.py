"""Facts: what placeholders and conditions of a runbook may refer to."""

from collections.abc import Mapping
from typing import Any

import msgspec

from routing.draft import Draft
from routing.entry import Outcome
from routing.incident import Incident
from routing.run import Run

_NONE: Mapping[str, str] = {}


def of_run(draft: Draft, incident: Incident, run: Run) -> dict[str, Any]:
    """The incident, the run, and what its steps found; of one that takes a change back, what that run had found."""
    before = draft.run(run.undoes.partition("/")[0]) if run.undoes else None
    found = of_incident(incident, run.id, draft.now, (before or run).labels)
    found["run"]["target"] = run.target
    found["inputs"] = dict((before or run).inputs)
    for state in (before or run).steps:
        if state.outcome:
            found[state.id] = state.output if state.outcome == Outcome.OK else {"error": state.error}
    return found


def of_incident(incident: Incident, run: str, now: int, labels: Mapping[str, str] = _NONE) -> dict[str, Any]:
    """Before any step of the run has found anything. Its suspect is a deployment: other changes have no way back.

    `labels` are those of the alert that the run is for; none: the incident's.
    """
    known = (each for each in (incident.suspect, *incident.suspects) if each is not None)
    suspect = next((each for each in known if not each.change), None)
    return {
        "now": now,
        "run": {"id": run},
        "incident": {
            "id": incident.id,
            "title": incident.title,
            "severity": str(incident.severity),
            "service": incident.service,
            "team": incident.team,
            "labels": labels or incident.labels,
            "suspect": msgspec.to_builtins(suspect) if suspect else None,
        },
    }
