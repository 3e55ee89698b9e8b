"""Condition: something that is wrong, wherever it comes from: one event, or a threshold crossed by many."""

from collections.abc import Mapping, Sequence

import msgspec

from routing.alerts.classify import Classified
from routing.alerts.fingerprint import fingerprint
from routing.alerts.live import is_live
from routing.draft import Draft
from routing.event import Event
from routing.policy import Absence, Threshold
from routing.reason import Reason
from routing.severity import Severity


class Condition(msgspec.Struct, frozen=True):
    """A firing condition, wherever it comes from: an event or a threshold crossed by many."""

    fingerprint: str
    source: str
    kind: str
    title: str
    summary: str
    severity: Severity
    team: str
    service: str
    labels: dict[str, str]
    at: int
    """When we got to know (ms)."""
    reasons: tuple[Reason, ...]
    same: str
    """In words, what makes it the same as another."""
    starts_at: int = 0
    ends_at: int = 0
    quiet_ms: int = 0
    """Resolved after so long without another; 0: not by that."""
    link: str = ""


class Identity(msgspec.Struct, frozen=True):
    """The fingerprint of an event, and in words what makes it the same as another's."""

    mark: str
    why: str


def identify(draft: Draft, event: Event, classified: Classified) -> Identity:
    """By the labels its source's configuration names, or by the vendor's key.

    An alert that is live under the vendor's key when the configuration comes to name labels keeps it to its end.
    """
    source = draft.policy.sources.get(event.source)
    mark = fingerprint(event, classified.service)
    if source is not None and source.fingerprint:
        pairs = [(name, classified.labels.get(name, "")) for name in source.fingerprint]
        chosen = fingerprint(event, classified.service, pairs)
        known = draft.alert(mark)
        if draft.alert(chosen) is not None or known is None or not is_live(draft, known):
            same = ", ".join(f"{name}={value!r}" for name, value in pairs)
            return Identity(chosen, f"{event.source} tells its alerts apart by {same}")
    if event.key:
        return Identity(mark, f"{event.source} calls it {event.key!r}")
    return Identity(mark, f"it is {event.kind} of {classified.service or 'no service'} from {event.source}")


def of_event(event: Event, classified: Classified, at: int, identity: Identity) -> Condition:
    return Condition(
        fingerprint=identity.mark,
        same=identity.why,
        source=event.source,
        kind=event.kind,
        title=event.title,
        summary=event.summary,
        severity=classified.severity,
        team=classified.team,
        service=classified.service,
        labels=classified.labels,
        at=at,
        reasons=tuple(classified.reasons),
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        link=event.link,
    )


def of_rule(
    rule: Threshold | Absence,
    values: Sequence[str],
    mark: str,
    labels: Mapping[str, str],
    reason: Reason,
    at: int,
    *,
    quiet_ms: int = 0,
) -> Condition:
    """Of what a rule has seen in many events: `labels` are those of one of them, for what the rule does not say."""
    team, service = rule.team or labels["team"], rule.service or labels["service"]
    own = {**dict(zip(rule.by, values, strict=True)), **rule.labels}
    named = {"source": labels["source"], "kind": rule.name, "team": team, "service": service}
    if service == labels["service"] and "service_tier" in labels:
        named["service_tier"] = labels["service_tier"]
    return Condition(
        fingerprint=mark,
        source=labels["source"],
        kind=rule.name,
        title=rule.title,
        summary=reason.text,
        severity=rule.severity,
        team=team,
        service=service,
        labels={**own, **named, "severity": str(rule.severity)},
        at=at,
        reasons=(reason,),
        same=f"it counts for {rule.name}",
        quiet_ms=quiet_ms,
    )
