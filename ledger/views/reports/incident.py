"""The facts of a report on one incident, as far as the record tells them. Nobody's address is among them."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from ledger.views.reports import pages
from ledger.views.store import Whole
from ledger.views.times import iso
from routing.delivery import Purpose
from routing.duration import span
from routing.incident import Alert, Deploy, FollowUp, Incident, Moment, Phase, Review
from routing.run import Run, StepState

Shown = dict[str, Any]
"""JSON-able; times ISO 8601 UTC."""


def facts(whole: Whole, review: Review, now: int) -> Shown:
    """Everything both a manager's and an engineer's report is made of; null for what has not happened.

    {"incident", "title", "severity", "status", "sentence": all of it in one, "targets": [{"what", "by", "allowed_ms",
    "took_ms", "kept"}], "review": {"impact", "root_cause", "measures", "by", "at"}, "automatic", "people", "deploys",
    "alerts", "followups", "roles", "regressions", "timeline"}
    """
    incident = whole.incident
    return {
        "incident": incident.id,
        "title": incident.title,
        "summary": incident.summary,
        "severity": str(incident.severity),
        "status": incident.phase.value,
        "service": incident.service,
        "team": incident.team,
        "sentence": sentence(incident, now),
        "opened_at": iso(incident.opened_at),
        "acknowledged_at": iso(incident.acknowledged_at),
        "acknowledged_by": incident.acknowledged_by,
        "resolved_at": iso(incident.resolved_at),
        "resolved_by": incident.resolved_by,
        "ended_at": iso(incident.resolved_at or now),
        "open_ms": (incident.resolved_at or now) - incident.opened_at,
        "reopened": incident.reopened,
        "targets": list(_targets(whole, now)),
        "review": _review(review),
        "automatic": [_run(one) for one in whole.runs],
        "people": pages.of(whole),
        "told": sorted({one.contact for one in whole.deliveries if one.purpose is not Purpose.PAGE}),
        "deploys": [_deploy(one, incident) for one in (incident.suspect, *incident.suspects) if one],
        "alerts": [_alert(one) for one in whole.alerts],
        "followups": [_followup(one) for one in incident.followups],
        "roles": dict(incident.course.roles) if incident.course else {},
        "regressions": list(incident.course.regressions) if incident.course else [],
        "timeline": [_moment(one) for one in whole.timeline],
        "archived": whole.archived,
    }


def sentence(incident: Incident, now: int) -> str:
    """All of it in one sentence."""
    where = f" of {incident.service}" if incident.service else ""
    taken = (
        f"taken after {span(incident.acknowledged_at - incident.opened_at)} by {incident.acknowledged_by}"
        if incident.acknowledged_at
        else "taken by nobody"
    )
    lasted = span((incident.resolved_at or now) - incident.opened_at)
    ended = (
        f"resolved after {lasted} by {ended_by(incident)}" if incident.resolved_at else f"open for {lasted}"
    )
    return f"{incident.severity}{where}, opened {iso(incident.opened_at)}, {taken}, {ended}."


def ended_by(incident: Incident) -> str:
    """In words: its own alerts end with "source"."""
    return "the end of its alerts" if incident.resolved_by == "source" else incident.resolved_by


def kept(incident: Incident, now: int, since: int = 0) -> tuple[bool | None, bool | None]:
    """Whether it was responded to, and resolved, in time; None while its time runs, and without a promise.

    What is resolved needs no response any more. An acknowledgement before `since` (ms) was of an earlier course.
    """
    taken_at = incident.acknowledged_at if incident.acknowledged_at >= since else 0
    responded_at = min(filter(None, (taken_at, incident.resolved_at)), default=0)
    return _in_time(responded_at, incident.respond_by, now), _in_time(
        incident.resolved_at, incident.resolve_by, now
    )


def _in_time(at: int, by: int, now: int) -> bool | None:
    if not by:
        return None
    return at <= by if at else (False if now > by else None)


def _targets(whole: Whole, now: int) -> Iterator[Shown]:
    """Counted anew from when it came back, if it did."""
    incident = whole.incident
    began = max([one.at for one in whole.timeline if one.what.startswith("reopened")], default=0)
    since = began or incident.opened_at
    responded, resolved = kept(incident, now, began)
    taken_at = incident.acknowledged_at if incident.acknowledged_at >= since else 0
    answered_at = taken_at or incident.resolved_at
    for what, by, at, held in (
        ("response", incident.respond_by, answered_at, responded),
        ("resolution", incident.resolve_by, incident.resolved_at, resolved),
    ):
        if by:
            took = at - since if at else None
            yield {"what": what, "by": iso(by), "allowed_ms": by - since, "took_ms": took, "kept": held}


def _review(review: Review) -> Shown:
    return {
        "impact": review.impact, "root_cause": review.root_cause, "measures": review.measures, "by": review.by,
        "at": iso(review.at),
    }  # fmt: skip


def _run(run: Run) -> Shown:
    return {
        "run": run.id,
        "runbook": run.runbook,
        "mode": run.mode,
        "ended": run.phase.words,
        "why": run.why,
        "started_by": run.requested_by,
        "approved_by": list(run.approved_by),
        "changed": [step.id for step in run.steps if _changed(run, step)],
        "undoes": run.undoes,
        "began_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "took_ms": run.ended_at - run.started_at if run.ended_at else None,
    }


def _changed(run: Run, step: StepState) -> bool:
    """A dry run only says what it would."""
    return step.mutates and step.outcome == "ok" and run.mode != "dry_run"


def _deploy(deploy: Deploy, incident: Incident) -> Shown:
    return {
        "id": deploy.id, "project": deploy.project, "service": deploy.service, "by": deploy.by,
        "at": iso(deploy.at), "before_ms": incident.opened_at - deploy.at, "link": deploy.link,
    }  # fmt: skip


def _alert(alert: Alert) -> Shown:
    return {
        "title": alert.title, "source": alert.source, "kind": alert.kind, "severity": str(alert.severity),
        "status": "firing" if alert.firing else "resolved", "count": alert.count, "flapping": alert.flapping,
        "began_at": iso(alert.first_seen_at), "ended_at": iso(alert.resolved_at),
    }  # fmt: skip


def _followup(one: FollowUp) -> Shown:
    return {
        "id": one.id, "text": one.text, "to": [name for _, name in one.to], "opened_at": iso(one.opened_at),
        "done_at": iso(one.done_at),
    }  # fmt: skip


def _moment(one: Moment) -> Shown:
    return {"at": iso(one.at), "what": one.what, "by": one.by}


def by_instant(moments: list[Shown]) -> Iterator[tuple[str, list[str]]]:
    """What was written at the same instant, together."""
    for at, some in groupby(moments, key=lambda moment: moment["at"]):
        yield at, [moment["what"] for moment in some]


def is_open(shown: Shown) -> bool:
    return bool(shown["status"] != Phase.RESOLVED.value)
