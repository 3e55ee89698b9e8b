"""Condition: something that is wrong, wherever it comes from: one event, or a threshold crossed by many."""

from dataclasses import dataclass

from routing.alerts.classify import Classified
from routing.alerts.fingerprint import fingerprint
from routing.event import Event
from routing.reason import Reason
from routing.severity import Severity


@dataclass(frozen=True, slots=True)
class Condition:
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
    starts_at: int = 0
    ends_at: int = 0
    link: str = ""


def of_event(event: Event, classified: Classified, at: int) -> Condition:
    return Condition(
        fingerprint=fingerprint(event, classified.service),
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
