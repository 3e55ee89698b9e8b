"""A report on an incident as far as the record tells it. Why it happened, and what prevents it, a person adds."""

from typing import Any, Final

from ledger.views.store import Whole
from routing.incident import Incident
from routing.instant import MINUTE, iso
from routing.run import Run

MOST_LINES: Final = 60
"""Of the timeline, the first and the last of it."""


def report(whole: Whole, now: int) -> dict[str, Any]:
    """{"incident", "severity", "status", "minutes_open", "minutes_to_acknowledge", "alerts", "told", "runs", "summary":
    one sentence, "draft": Markdown}; minutes are null of what has not happened. Nobody's address is in it.
    """
    incident = whole.incident
    return {
        "incident": incident.id,
        "severity": str(incident.severity),
        "status": incident.phase.value,
        "minutes_open": ((incident.resolved_at or now) - incident.opened_at) // MINUTE,
        "minutes_to_acknowledge": _minutes(incident, incident.acknowledged_at),
        "alerts": len(whole.alerts),
        "told": list(incident.paged),
        "runs": [_run(each) for each in whole.runs],
        "summary": _summary(incident, now),
        "draft": "\n".join(_lines(whole, now)),
    }


def _lines(whole: Whole, now: int) -> list[str]:
    incident = whole.incident
    tried = [f"- {each['runbook']}: {each['ended']}. {each['why']}" for each in map(_run, whole.runs)]
    happened = [f"- {iso(each.at)} {each.what}" for each in whole.timeline]
    if len(happened) > MOST_LINES:
        left_out = f"- ... {len(happened) - MOST_LINES} more in: tocsin incidents show {incident.id}"
        happened = [*happened[: MOST_LINES // 2], left_out, *happened[-MOST_LINES // 2 :]]
    return [
        f"# {incident.id}: {incident.title}", "", _summary(incident, now), "",
        "## Who was affected, and how", "", "To be written.", "",
        "## Root cause", "", "To be written.", "",
        "## What was tried", "", *(tried or ["Nothing by itself."]), "",
        "## What happened when", "", *happened, "",
        "## What prevents it", "", "To be written.",
    ]  # fmt: skip


def _summary(incident: Incident, now: int) -> str:
    where = f" of {incident.service}" if incident.service else ""
    answered = _minutes(incident, incident.acknowledged_at)
    taken = (
        f"taken after {answered} min by {incident.acknowledged_by}"
        if answered is not None
        else "taken by nobody"
    )
    minutes = ((incident.resolved_at or now) - incident.opened_at) // MINUTE
    ended = (
        f"resolved after {minutes} min by {incident.resolved_by}"
        if incident.resolved_at
        else f"open for {minutes} min"
    )
    return f"{incident.severity}{where}, opened {iso(incident.opened_at)}, {taken}, {ended}."


def _minutes(incident: Incident, at: int) -> int | None:
    return (at - incident.opened_at) // MINUTE if at else None


def _run(run: Run) -> dict[str, str]:
    return {"runbook": run.runbook, "ended": str(run.phase), "why": run.why}
