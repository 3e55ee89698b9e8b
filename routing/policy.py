"""Policy: the whole configuration, compiled. The fold reads nothing else.

Every part carries the `Origin` it was written at, so that each reason can name file and line.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from routing.reason import BUILT_IN, Origin
from routing.severity import Level, Severity


class Matcher(Protocol):
    """A compiled label matcher (`routing.matchers`)."""

    @property
    def matches(self) -> Callable[[Mapping[str, str]], bool]: ...


@dataclass(frozen=True, slots=True)
class Secret:
    """A `${NAME}` or `${NAME:-default}` of the configuration, resolved only by the process that needs it."""

    name: str
    default: str | None = None

    def resolve(self, env: Mapping[str, str]) -> str:
        """Raises KeyError with the name when it is unset and has no default."""
        found = env.get(self.name, "")
        if found:
            return found
        if self.default is None:
            raise KeyError(self.name)
        return self.default


VENDOR_SEVERITIES: Mapping[str, Severity] = {
    "critical": Severity.SEV1,
    "fatal": Severity.SEV1,
    "error": Severity.SEV2,
    "warning": Severity.SEV2,
    "info": Severity.SEV4,
}
"""Unsure means the worse one, but never SEV-0: only a rule calls something a complete outage."""

Setting = str | int | float | bool | None | Secret | list[Any] | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A configured sender. `vendor` names its module; `secrets` verify it, all of them valid at once."""

    name: str
    vendor: str
    secrets: tuple[Secret | str, ...]
    origin: Origin
    team: str = ""
    service: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    urgent_kinds: tuple[Matcher, ...] = ()
    """Events matched by any of these travel in the urgent lane, the others in bulk."""
    max_bytes: int = 1_048_576
    tolerance_ms: int = 300_000
    dedup_ms: int = 259_200_000
    """How long a vendor's event id is remembered: at least as long as the vendor retries."""
    settings: Mapping[str, Setting] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the route tree. What is None or () was inherited when compiled, so leaves are complete."""

    name: str
    matchers: tuple[Matcher, ...]
    escalation: str
    group_by: tuple[str, ...]
    reopen_ms: int
    origin: Origin
    inform: tuple[tuple[str, str], ...] = ()
    """Targets told quietly when automation repaired what nobody was paged for: (kind, name)."""
    routes: tuple["Route", ...] = ()
    continues: bool = False


@dataclass(frozen=True, slots=True)
class EscalationStep:
    targets: tuple[tuple[str, str], ...]
    """(kind, name): ("contact", "anna"), ("schedule", "primary")."""
    wait_ms: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    name: str
    steps: tuple[EscalationStep, ...]
    repeat: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Method:
    """One way to reach a contact: a configured channel and the address there."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Contact:
    """`by_severity` gives the methods to use at once, in order of preference, for pages.

    `quiet` is what UPDATE messages use: never a voice channel.
    """

    name: str
    title: str
    timezone: str
    methods: tuple[Method, ...]
    by_severity: Mapping[Severity, tuple[Method, ...]]
    quiet: tuple[Method, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Rotation:
    """Weekly: `contacts` take turns, the first from `start` (local date of a handoff), weekly thereafter."""

    contacts: tuple[str, ...]
    start: str
    """Local date-time of the first handoff, ISO: "2026-01-05T09:00"."""
    every_days: int


@dataclass(frozen=True, slots=True)
class Schedule:
    name: str
    timezone: str
    rotation: Rotation
    origin: Origin


@dataclass(frozen=True, slots=True)
class Channel:
    """A configured way out. `vendor` names its module; `voice` channels ring."""

    name: str
    vendor: str
    settings: Mapping[str, Setting]
    origin: Origin
    voice: bool = False
    timeout_ms: int = 10_000
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class RunbookStep:
    id: str
    action: str
    params: Mapping[str, Any]
    """Strings may hold {{ placeholders }}; they are filled once and never evaluated again."""
    timeout_ms: int
    mutates: bool
    origin: Origin
    attempts: int = 1
    idempotency_key: str = ""
    recover: str = ""
    """self_healing, irreversible, or "undo: <what>". Every mutating step says."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A jmespath condition over the run's context; when it does not hold, the run stops and says why."""

    condition: str
    reason: str
    otherwise: str
    """stop: nothing to do, page as usual. fail: the same, but counts as a failed run."""
    origin: Origin


@dataclass(frozen=True, slots=True)
class Verify:
    """The symptom is gone when `until` holds at every check, `every_ms` apart, for `for_ms`."""

    step: RunbookStep
    until: str
    every_ms: int
    for_ms: int
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Guard rails per target. None of them can be switched off, only set."""

    cooldown_ms: int = 600_000
    per_hour: int = 3
    per_day: int = 7
    breaker_failures: int = 2
    breaker_open_ms: int = 3_600_000


@dataclass(frozen=True, slots=True)
class Runbook:
    id: str
    version: int
    title: str
    matchers: tuple[Matcher, ...]
    """Matched against the labels of the incident's alerts (source, kind, service, ... included)."""
    target: str
    mode: str
    """auto, dry_run or off. In dry run mutating steps are reported, not done."""
    limits: Limits
    timeout_ms: int
    diagnose: tuple[RunbookStep, ...]
    guards: tuple[Guard, ...]
    remediate: tuple[RunbookStep, ...]
    verify: Verify
    origin: Origin
    resolves: bool = True
    followups: tuple[tuple[str, int], ...] = ()
    """(text, remind after ms) for what a success leaves to do: "promote again"."""
    when_severity: tuple[Severity, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """`version` is the hash of the files it was compiled from."""

    version: str
    levels: Mapping[Severity, Level]
    sources: Mapping[str, Source]
    rules: tuple[SeverityRule, ...]
    thresholds: tuple[Threshold, ...]
    route: Route
    escalations: Mapping[str, EscalationPolicy]
    schedules: Mapping[str, Schedule]
    contacts: Mapping[str, Contact]
    channels: Mapping[str, Channel]
    runbooks: tuple[Runbook, ...]
    last_resort: str
    """The contact reached when all else is exhausted."""
    last_resort_every_ms: int
    public_url: str
    suspect_ms: int
    """A production deployment this recent is named as the suspect."""
    retire_ms: int
    """A resolved incident moves to the archive after this long."""
    max_running: int
    """Runbook runs that may mutate at the same time, over all targets."""
    default_severity: Severity = Severity.SEV2
    vendor_severities: Mapping[str, Severity] = field(default_factory=lambda: VENDOR_SEVERITIES)
    """What a vendor's own word for severity, in lower case, means where no rule says."""
    classify_origin: Origin = BUILT_IN
    """Where `default_severity` and `vendor_severities` were written."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    """Of the action families: {"vercel": {"base_url": ..., "token": Secret}, ...}."""
