"""How bad an event is: rules, and counts that many events reach together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from routing.calendar.hours import Hours
from routing.policy.impact import Impact
from routing.policy.routes import Matcher
from routing.reason import Origin
from routing.severity import Severity


@dataclass(frozen=True, slots=True)
class SeverityRule:
    """The first rule that matches an event classifies it. None leaves what was there."""

    name: str
    matchers: tuple[Matcher, ...]
    origin: Origin
    when: str = ""
    """A condition over {"event": ..., "labels": ...}; "" holds always."""
    language: str = "jmespath"
    """What `when` is written in: jmespath or cel."""
    severity: Severity | None = None
    scope: Impact | None = None
    affects: Impact | None = None
    """With either of them the impact matrix gives the severity."""
    team: str | None = None
    service: str | None = None
    handling: str = "alert"
    """alert: opens or joins an incident. record: kept and counted only. deploy: recorded as a deployment.
    "": what the event's status says, record for INFO and alert otherwise."""
    reason: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Raises or lowers what was found, by service tier and by hours. Every one that fits counts."""

    name: str
    matchers: tuple[Matcher, ...]
    levels: int
    """How many to move: below zero towards SEV-0."""
    origin: Origin
    hours: Hours | None = None
    inside: bool = True
    """Whether it holds inside of the hours, or outside of them."""
    up_to: Severity = Severity.SEV1
    """The worst it may raise to."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Promotion:
    """Raises an incident that lasts, grows or spreads. All that it asks for must hold; 0 asks for nothing."""

    name: str
    to: Severity
    origin: Origin
    matchers: tuple[Matcher, ...] = ()
    """Over the labels the incident was opened with."""
    severities: tuple[Severity, ...] = ()
    """Of which severity it must be; (): anything milder than `to`."""
    after_ms: int = 0
    """How long it must have had its severity."""
    alerts: int = 0
    """It must have more alerts than this."""
    services: int = 0
    """Its alerts must be of more services than this."""
    unacknowledged: bool = False
    """Only while nobody has it."""
    reason: str = ""
