"""How bad an event is: rules, and counts that many events reach together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from routing.policy.routes import Matcher
from routing.reason import Origin
from routing.severity import Severity

VENDOR_SEVERITIES: Mapping[str, Severity] = {
    "critical": Severity.SEV1,
    "fatal": Severity.SEV1,
    "error": Severity.SEV2,
    "warning": Severity.SEV2,
    "info": Severity.SEV4,
}
"""Unsure means the worse one, but never SEV-0: only a rule calls something a complete outage."""


@dataclass(frozen=True, slots=True)
class SeverityRule:
    """The first rule that matches an event classifies it. None leaves what was there."""

    name: str
    matchers: tuple[Matcher, ...]
    origin: Origin
    when: str = ""
    """A jmespath condition over {"event": ..., "labels": ...}; "" holds always."""
    severity: Severity | None = None
    team: str | None = None
    service: str | None = None
    handling: str = "alert"
    """alert: opens or joins an incident. record: kept and counted only. deploy: recorded as a deployment.
    "": what the event's status says, record for INFO and alert otherwise."""
    reason: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Threshold:
    """N events in a window raise one alert, which resolves after `quiet_ms` without another."""

    name: str
    matchers: tuple[Matcher, ...]
    count: int
    window_ms: int
    quiet_ms: int
    severity: Severity
    title: str
    origin: Origin
    by: tuple[str, ...] = ()
    team: str = ""
    service: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
