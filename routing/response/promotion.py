"""Promotion: an incident that lasts, grows or spreads is raised by rule; only a person lowers it."""

import msgspec

from routing import duration
from routing.decision import Table
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.language.matchers import all_match
from routing.policy import Promotion
from routing.reason import Reason
from routing.response import responding
from routing.timer import Wake

# Named once, as in `routing.draft`: asked for again and again.
_RESOLVED, _TRIGGERED = Phase.RESOLVED, Phase.TRIGGERED
_INCIDENT, _ALERT = Table.INCIDENT, Table.ALERT
_PROMOTE = Wake.PROMOTE

MOST_SERVICES = 50
"""So many names of services are kept with an incident; a rule cannot ask for more."""


def review(draft: Draft) -> None:
    """Look at every incident this entry changed, and at those whose alerts it did."""
    if not draft.policy.promotions:
        return
    for key in draft.changed(_ALERT):
        _spread(draft, key)
    for incident in draft.changed_incidents():
        if incident.phase is not _RESOLVED and not incident.drill:
            _consider(draft, _dated(draft, incident))


def due(draft: Draft, incident: Incident) -> None:
    """Its age may have raised it."""
    if incident.phase is not _RESOLVED:
        if incident.reviewed != draft.policy.version:
            # Looked at under this policy from now on: one that comes back looks anew, its timer is spent.
            draft.put_incident(incident)
        _consider(draft, incident)


def _consider(draft: Draft, incident: Incident) -> None:
    later = []
    for rule in draft.policy.promotions:
        if not _concerns(incident, rule):
            continue
        later.append(rule)
        if why := _why(draft, incident, rule):
            reason = Reason(text=why, rule=rule.name, origin=str(rule.origin))
            worse = responding.worsen(draft, incident, rule.to, incident.labels, reason)
            incident = _dated(draft, draft.incident(worse.id) or worse)
            later = [each for each in draft.policy.promotions if _concerns(incident, each)]
    _wait(draft, incident, later)


def _why(draft: Draft, incident: Incident, rule: Promotion) -> str:
    """Why the rule, which concerns the incident, raises it now; "" when it does not."""
    if draft.now - since(incident) < rule.after_ms:
        return ""
    services = len(incident.services) + bool(incident.service)
    if (rule.alerts and incident.alerts <= rule.alerts) or (rule.services and services <= rule.services):
        return ""
    parts = [f"{incident.severity} for {duration.text(rule.after_ms)}"] if rule.after_ms else []
    parts += [f"more than {rule.alerts} alerts"] if rule.alerts else []
    parts += [f"more than {rule.services} services"] if rule.services else []
    return " and ".join(parts) + (f": {rule.reason}" if rule.reason else "")


def _concerns(incident: Incident, rule: Promotion) -> bool:
    """Whether it may raise the incident, now or later."""
    if incident.severity <= rule.to or (rule.severities and incident.severity not in rule.severities):
        return False
    if incident.merged_into:
        return False
    if rule.unacknowledged and incident.phase is not _TRIGGERED:
        return False
    if incident.lowered_from is not None and responding.withstands(
        incident, rule.to, (Reason(text="", rule=rule.name),)
    ):
        return False
    return not rule.matchers or all_match(rule.matchers, incident.labels)


def since(incident: Incident) -> int:
    """Since when it has the severity it has (ms)."""
    return incident.graded_at or incident.opened_at


def _wait(draft: Draft, incident: Incident, rules: list[Promotion]) -> None:
    """Be woken when the first of the rules that concern it and go by age may raise it."""
    began, coming = since(incident), 0
    for rule in rules:
        at = began + rule.after_ms
        if rule.after_ms and at > draft.now and (not coming or at < coming):
            coming = at
    known = draft.timer(_PROMOTE, incident.id)
    if coming and (known is None or known.at != coming):
        what = "raise it if it is still open"
        draft.wake(_PROMOTE, incident.id, coming, incident=incident.id, what=what)
    elif known is not None and not coming:
        draft.unwake(_PROMOTE, incident.id)


def _dated(draft: Draft, incident: Incident) -> Incident:
    """With the instant of a severity, or of a return, that this entry has brought."""
    old = draft.state.get(_INCIDENT, incident.id)
    if not isinstance(old, Incident) or draft.now == since(incident):
        return incident
    back = old.phase is _RESOLVED and incident.phase is not _RESOLVED
    if old.severity is not incident.severity or back:
        incident = msgspec.structs.replace(incident, graded_at=draft.now)
        draft.put_incident(incident)
    return incident


def _spread(draft: Draft, key: str) -> None:
    """Remember the alert's service with its incident, when it is one more."""
    alert = draft.alert(key)
    incident = draft.incident(alert.incident) if alert else None
    service = alert.labels.get("service", "") if alert else ""
    if incident is None or not service or service == incident.service or service in incident.services:
        return
    if len(incident.services) < MOST_SERVICES:
        draft.put_incident(msgspec.structs.replace(incident, services=[*incident.services, service]))
