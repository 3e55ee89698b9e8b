"""Alerts and silences in the shapes of Alertmanager's API v2."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ledger.views.firing import Firing
from routing.entry import SilenceSet
from routing.incident import Incident
from routing.instant import MINUTE, iso
from routing.language import matchers
from routing.policy import Policy

Shown = dict[str, Any]
_OPEN_END_MS = 5 * MINUTE
"""What fires has no end; Alertmanager shows when it would be over if nobody sent it again."""
_STATES = ("active", "pending", "expired")


def told(policy: Policy, incident: Incident) -> str:
    """Who would be told of it: its escalation policy, which is what comes nearest to a receiver there."""
    if incident.escalation is not None:
        return incident.escalation.policy
    route = policy.routes.get(incident.route, policy.route)
    return route.escalation


def alert(found: Firing, policy: Policy, now: int) -> Shown:
    known, notes = found.alert, {"incident": found.incident.id}
    notes |= {name: text for name, text in (("summary", known.title), ("description", known.summary)) if text}
    return {
        "labels": known.labels,
        "annotations": notes,
        "startsAt": iso(known.starts_at or known.began_at),
        "updatedAt": iso(known.last_seen_at),
        "endsAt": iso(now + _OPEN_END_MS),
        "fingerprint": known.fingerprint,
        "receivers": [{"name": told(policy, found.incident)}],
        "status": {
            "state": "suppressed" if found.suppressed else "active",
            "silencedBy": found.silenced_by,
            "inhibitedBy": found.inhibited_by,
            "mutedBy": found.muted_by,
        },
        **({"generatorURL": known.link} if known.link else {}),
    }


def groups(found: Sequence[Firing], policy: Policy, now: int) -> list[Shown]:
    """One for each incident, in the order of their labels."""
    of_incident: defaultdict[str, list[Firing]] = defaultdict(list)
    for each in found:
        of_incident[each.incident.id].append(each)
    made = [_group(each, policy, now) for each in of_incident.values()]
    return sorted(made, key=lambda group: (sorted(group["labels"].items()), group["receiver"]["name"]))


def _group(found: Sequence[Firing], policy: Policy, now: int) -> Shown:
    incident = found[0].incident
    by = policy.routes.get(incident.route, policy.route).group_by
    return {
        "labels": {name: incident.labels[name] for name in by if incident.labels.get(name)},
        "routeLabels": {},
        "receiver": {"name": told(policy, incident)},
        "alerts": [alert(each, policy, now) for each in found],
    }


def state(silence: SilenceSet, now: int) -> str:
    if silence.until_at <= now:
        return "expired"
    return "active" if silence.from_at <= now else "pending"


def silence(known: SilenceSet, now: int) -> Shown:
    return {
        "id": known.id,
        "status": {"state": state(known, now)},
        "matchers": [_matcher(matchers.parse(text)) for text in known.matchers],
        "startsAt": iso(known.from_at or known.at),
        "endsAt": iso(known.until_at),
        "updatedAt": iso(known.at),
        "createdBy": known.by,
        "comment": known.reason,
        "annotations": known.annotations,
    }


def _matcher(found: matchers.Matcher) -> Shown:
    return {
        "name": found.name,
        "value": found.value,
        "isRegex": found.op.endswith("~"),
        "isEqual": not found.op.startswith("!"),
    }


def order(known: SilenceSet, now: int) -> tuple[int, int]:
    """The active first, the next to end first among them; then what begins, the next first; then what ended last."""
    found = state(known, now)
    at = {"active": known.until_at, "pending": known.from_at, "expired": -known.until_at}[found]
    return _STATES.index(found), at
