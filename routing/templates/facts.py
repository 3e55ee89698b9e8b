"""What a template may name: the message as decided, and curated facts of what it is about. All plain data."""

from typing import Any

from routing import duration
from routing.incident import Incident
from routing.instant import MINUTE
from routing.ports import Notification
from routing.response import render
from routing.run import Run

LONGEST = 4_000
"""Characters of one value; a payload may have put more into it."""
MOST_LABELS = 30


def facts(notification: Notification, channel: str, now: int) -> dict[str, Any]:
    """By name. What is not known is "", 0 or [], so that no template fails for want of it."""
    zone = notification.person.timezone if notification.person else "UTC"
    return {
        "message": {
            "title": _text(notification.message.title),
            "body": _text(notification.message.body),
            "speech": _text(notification.message.speech or notification.message.title),
        },
        "incident": _incident(notification, zone, now),
        "run": _run(notification.asked, zone),
        "person": _person(notification),
        "channel": channel,
        "kind": notification.purpose.value,
        "severity": str(notification.severity),
        "link": notification.ack_url,
        "repeat": notification.repeat,
    }


def _person(notification: Notification) -> dict[str, Any]:
    person = notification.person
    return {
        "name": person.name if person else "",
        "title": person.title if person else "",
        "timezone": person.timezone if person else "UTC",
    }


def _incident(notification: Notification, zone: str, now: int) -> dict[str, Any]:
    found = notification.standing
    if found is None:
        return dict.fromkeys(_INCIDENT_TEXTS, "") | {
            "id": notification.incident, "severity": str(notification.severity), "level": notification.severity.value,
            "number": 0, "alerts": 0, "firing": 0, "events": 0, "labels": {},
        }  # fmt: skip
    return {**_said(found), **_times(found, zone, now)}


def _said(incident: Incident) -> dict[str, Any]:
    following = incident.next_action
    return {
        "id": incident.id,
        "number": incident.number,
        "severity": str(incident.severity),
        "level": incident.severity.value,
        "status": incident.phase.value,
        "title": _text(incident.title),
        "summary": _text(incident.summary),
        "service": _text(incident.service),
        "team": _text(incident.team),
        "tried": _text(incident.tried),
        "suspect": _text(render.suspicion(incident, incident.opened_at)),
        "acknowledged_by": _text(incident.acknowledged_by),
        "resolved_by": _text(incident.resolved_by),
        "next": _text(following.what) if following else "",
        "alerts": incident.alerts,
        "firing": incident.firing,
        "events": incident.events,
        "labels": {name: _text(value) for name, value in list(incident.labels.items())[:MOST_LABELS]},
    }


def _times(incident: Incident, zone: str, now: int) -> dict[str, Any]:
    until = incident.resolved_at or now
    minutes = max(1, round((until - incident.opened_at) / MINUTE))
    return {
        "since": render.clock(incident.opened_at, zone),
        "lasted": duration.text(minutes * MINUTE),
        "acknowledged": _clock(incident.acknowledged_at, zone),
        "resolved": _clock(incident.resolved_at, zone),
        "respond_by": _clock(incident.respond_by, zone),
        "resolve_by": _clock(incident.resolve_by, zone),
        "next_at": _clock(incident.next_action.at if incident.next_action else 0, zone),
    }


_INCIDENT_TEXTS = (
    "id", "severity", "status", "title", "summary", "service", "team", "tried", "suspect", "acknowledged_by",
    "resolved_by", "next", "since", "lasted", "acknowledged", "resolved", "respond_by", "resolve_by", "next_at",
)  # fmt: skip


def _run(run: Run | None, zone: str) -> dict[str, Any]:
    """What somebody is asked to approve."""
    if run is None:
        return {
            "id": "", "runbook": "", "target": "", "why": "", "until": "", "does": [], "approve": "", "deny": "",
        }  # fmt: skip
    return {
        "id": run.id,
        "runbook": run.runbook,
        "target": _text(run.target),
        "why": _text(run.approval.why if run.approval else run.why),
        "until": _clock(run.approval.until_at if run.approval else 0, zone),
        "does": [each.action for each in run.steps if each.mutates][:MOST_LABELS],
        "approve": f"tocsin runbook approve {run.id}",
        "deny": f"tocsin runbook deny {run.id}",
    }


def _clock(at: int, zone: str) -> str:
    return render.clock(at, zone) if at else ""


def _text(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
