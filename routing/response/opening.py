"""An incident is opened: by an alert, or by hand."""

import msgspec

from routing import routes
from routing.alerts import deploys
from routing.draft import Draft
from routing.entry import Opened
from routing.incident import Incident, Phase
from routing.policy import Route
from routing.reason import Reason
from routing.response import clocks, informing, render, responding
from routing.severity import Severity


class Opening(msgspec.Struct, frozen=True):
    """What an incident is opened with."""

    title: str
    summary: str
    severity: Severity
    team: str
    service: str
    labels: dict[str, str]
    reasons: tuple[Reason, ...]
    alerts: int = 1
    rules: tuple[str, ...] = ()
    """Names of what gave the severity."""
    by: str = ""
    """Who opens it by hand."""


def open_incident(draft: Draft, route: Route, opening: Opening) -> Incident:
    """Open it, name the suspect, start the runbook, and page now or when the hold ends."""
    number = int(draft.fact("incidents") or "0") + 1
    draft.put_fact("incidents", str(number))
    level = draft.policy.levels[opening.severity]
    policy = draft.policy.escalations[route.escalation]
    incident = Incident(
        id=f"INC-{number}",
        number=number,
        title=opening.title,
        severity=opening.severity,
        phase=Phase.TRIGGERED,
        group=routes.group_key(route, opening.labels),
        opened_at=draft.now,
        changed_at=draft.now,
        summary=opening.summary,
        team=opening.team,
        service=opening.service,
        labels=opening.labels,
        route=route.name,
        policy_version=draft.policy.version,
        graded_by=list(opening.rules),
        respond_by=draft.now + level.respond_ms,
        resolve_by=clocks.resolve_by(draft, opening.severity),
        escalation=policy.begun,
        opened_by=opening.by,
        firing=opening.alerts,
        alerts=opening.alerts,
        events=opening.alerts,
    )
    incident = deploys.suspected(draft, incident)
    routed = Reason(
        text=f"routed to {route.escalation}", rule=f"route {route.name}", origin=str(route.origin)
    )
    draft.note(incident.id, f"opened as {incident.severity}: {incident.title}", *opening.reasons, routed)
    if incident.suspect is not None:
        draft.note(
            incident.id,
            f"suspect: {render.suspicion(incident, draft.now)}",
            *deploys.reasons(draft, incident),
        )
    clocks.watch(draft, incident)
    informing.watch(draft, incident)
    return responding.respond(draft, incident, opening.labels)


def open_by_hand(draft: Draft, entry: Opened) -> Incident:
    """A person opens an incident that no source reported."""
    severity = Severity(entry.severity)
    labels = {
        "source": "operator",
        "kind": "manual",
        "severity": str(severity),
        "service": entry.service,
        "team": entry.team,
        "title": entry.title,
    }
    by = entry.by or "operator"
    opening = Opening(
        title=entry.title,
        summary=entry.summary,
        severity=severity,
        team=entry.team,
        service=entry.service,
        labels=labels,
        reasons=(Reason(text=f"opened by {by}"),),
        alerts=0,
        by=by,
    )
    matched = routes.match(draft.policy, labels)[0]
    return open_incident(draft, matched.route, opening)
