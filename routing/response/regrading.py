"""Regrading: a person says how bad it is. Nothing but a person lowers an incident."""

import msgspec

from routing import routes
from routing.draft import Draft
from routing.entry import Graded
from routing.incident import Incident, Phase
from routing.reason import Reason
from routing.response import clocks, escalation, notify, responding, sending
from routing.severity import Severity


def graded(draft: Draft, entry: Graded) -> None:
    """Raise or lower it; what no longer applies is only noted."""
    incident = draft.incident(entry.incident)
    if incident is None:
        return
    severity, by = Severity(entry.severity), entry.by or "operator"
    reason = Reason(text=f"{by} says: {entry.reason}" if entry.reason else f"{by} says so")
    if incident.phase is Phase.RESOLVED:
        draft.note(incident.id, f"{by} graded it {severity}; it was already resolved", reason, by=by)
    elif severity is incident.severity:
        draft.note(incident.id, f"{by} confirmed {severity}", reason, by=by)
    elif severity < incident.severity:
        responding.worsen(draft, incident, severity, incident.labels, reason, by=by)
    else:
        _lower(draft, incident, severity, by, reason)


def _lower(draft: Draft, incident: Incident, severity: Severity, by: str, reason: Reason) -> None:
    """New clocks, and the route of the new severity. What made it worse than that does so no more."""
    before = incident.severity
    overruled = dict.fromkeys((*incident.overruled, *incident.graded_by))
    incident = msgspec.structs.replace(
        incident,
        severity=severity,
        changed_at=draft.now,
        graded_at=draft.now,
        respond_by=draft.now + draft.policy.levels[severity].respond_ms,
        resolve_by=clocks.resolve_by(draft, severity),
        lowered_from=min(
            before, incident.severity if incident.lowered_from is None else incident.lowered_from
        ),
        overruled=list(overruled),
    )
    names = ", ".join(overruled) or "what raised it"
    kept = Reason(text=f"{names} will not raise it again, unless to worse than {incident.lowered_from}")
    draft.note(incident.id, f"lowered from {before} to {severity} by {by}", reason, kept, by=by)
    draft.put_incident(incident)
    clocks.watch(draft, incident)
    incident = _reroute(draft, incident, by)
    notify.tell_all_paged(draft, incident, f"Lowered to {severity}: {incident.title} ({reason.text})")


def _reroute(draft: Draft, incident: Incident, by: str) -> Incident:
    """Where another policy answers for the new severity, the old one's pages stop and its own begin."""
    labels = {**incident.labels, "severity": str(incident.severity)}
    route = routes.match(draft.policy, labels)[0].route
    known = incident.escalation.policy if incident.escalation else ""
    incident = msgspec.structs.replace(incident, route=route.name)
    draft.put_incident(incident)
    if route.escalation == known:
        return incident
    begun = draft.policy.escalations[route.escalation].begun
    incident = msgspec.structs.replace(incident, escalation=begun)
    draft.put_incident(incident)
    if incident.phase is not Phase.TRIGGERED or incident.held_until:
        return incident
    escalation.stop(draft, incident)
    sending.cancel_pages(draft, incident, f"lowered to {incident.severity} by {by}")
    return escalation.page(draft, incident, f"{by} lowered it to {incident.severity}")
