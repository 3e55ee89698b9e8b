"""The whole configuration, compiled. The fold reads nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from routing.calendar.hours import Hours
from routing.calendar.sprints import Sprints
from routing.instant import DAY
from routing.language.index import Index
from routing.policy.channels import Channel, Limit
from routing.policy.drills import Drill
from routing.policy.environments import Environment
from routing.policy.escalation import EscalationPolicy
from routing.policy.impact import Matrix
from routing.policy.noise import Noise
from routing.policy.people import Contact, Team
from routing.policy.probes import Probe
from routing.policy.process import Process
from routing.policy.routes import Route, all_routes
from routing.policy.runbooks import Budget, Runbook
from routing.policy.scheduled import Scheduled
from routing.policy.schedules import Schedule
from routing.policy.secret import Setting
from routing.policy.senders import Source
from routing.policy.services import Service
from routing.policy.severity import Adjustment, Promotion, SeverityRule
from routing.policy.templates import Template
from routing.policy.windows import Absence, Threshold
from routing.reason import BUILT_IN, Origin
from routing.severity import Level, Severity


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
    runs: Budget = field(default=Budget(30, 200))
    """Of all runbooks that change something, over all targets."""
    bodies_ms: int = 90 * DAY
    """How long requests are kept as they came, where their source says nothing else."""
    verified_ms: int = 90 * DAY
    """So long it counts that somebody was reached at an address."""
    warn_percent: int = 80
    """How much of a respond-by or resolve-by time is gone when whoever owes it is warned."""
    default_severity: Severity = Severity.SEV2
    vendor_severities: Mapping[str, Severity] = field(default_factory=dict)
    """What vendors' own words for severity, in lower case, mean other than `routing.policy.vendor_words` says."""
    classify_origin: Origin = BUILT_IN
    """Where `default_severity` and `vendor_severities` were written."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    """Of the action families: {"vercel": {"base_url": ..., "token": Secret}, ...}."""
    environments: Mapping[str, Environment] = field(default_factory=dict)
    """Where runbooks may be rehearsed, by name: {"staging": ...}."""
    matrix: Matrix | None = None
    tiers: Mapping[int, str] = field(default_factory=dict)
    """Who is hit, in the matrix's words, when a service of this tier is out and no rule says."""
    adjustments: tuple[Adjustment, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    absences: tuple[Absence, ...] = ()
    services: Mapping[str, Service] = field(default_factory=dict)
    """What the business runs on, by name; events may name others."""
    hours: Mapping[str, Hours] = field(default_factory=dict)
    """Hours of the week by the names other files give: {"working": ...}."""
    sprints: Sprints | None = None
    teams: Mapping[str, Team] = field(default_factory=dict)
    limits: Mapping[str, tuple[Limit, ...]] = field(default_factory=dict)
    """How often one contact is told over one method: by kind, "call", "text" (a telephone number), "message"."""
    noise: Noise = field(default_factory=Noise)
    probes: tuple[Probe, ...] = ()
    scheduled: tuple[Scheduled, ...] = ()
    drills: tuple[Drill, ...] = ()
    freeze: Hours | None = None
    """In these hours no runbook changes anything by itself."""
    process: Process | None = None
    """How incidents of consequence are run; None: by nothing but their escalation."""
    templates: Mapping[str, Template] = field(default_factory=dict)
    """What messages say differently, by name: {"sms.page": ...}."""
    routes: Mapping[str, Route] = field(init=False, repr=False, compare=False)
    """Every route of the tree, by name."""
    by_the_hour: bool = field(init=False, repr=False, compare=False)
    """Whether the same event may be classified differently at another hour."""
    by_labels: Index[SeverityRule] = field(init=False, repr=False, compare=False)
    """`rules` by their matchers."""
    thresholds_by_labels: Index[tuple[Threshold, bool]] = field(init=False, repr=False, compare=False)
    """`thresholds` by what they count, and (True) by what the others of a ratio are, which are counted beside."""
    absences_by_labels: Index[tuple[Absence, bool]] = field(init=False, repr=False, compare=False)
    """`absences` by what they expect, and (True) by what asks for it."""
    runbooks_by_id: Mapping[str, Runbook] = field(init=False, repr=False, compare=False)
    runbooks_by_labels: Index[Runbook] = field(init=False, repr=False, compare=False)
    """Those that are on, by their matchers, as they are asked: what repairs, then what hands over."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "routes", {each.name: each for each in all_routes(self.route)})
        by_the_hour = any(each.hours is not None for each in self.adjustments)
        object.__setattr__(self, "by_the_hour", by_the_hour)
        object.__setattr__(self, "by_labels", Index((each.matchers, each) for each in self.rules))
        counted = [
            (matchers, (each, other)) for each in self.thresholds
            for other, matchers in ((False, each.matchers), (True, each.ratio.matchers if each.ratio else None))
            if matchers is not None
        ]  # fmt: skip
        object.__setattr__(self, "thresholds_by_labels", Index(counted))
        expected = [
            (matchers, (each, asks)) for each in self.absences
            for asks, matchers in ((False, each.matchers), (True, each.after))
            if matchers or not asks
        ]  # fmt: skip
        object.__setattr__(self, "absences_by_labels", Index(expected))
        object.__setattr__(self, "runbooks_by_id", {each.id: each for each in self.runbooks})
        asked = sorted(
            (each for each in self.runbooks if each.mode != "off"), key=lambda each: each.hands_over
        )
        object.__setattr__(self, "runbooks_by_labels", Index((each.matchers, each) for each in asked))
