"""Repairs as data, and the rails around them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from routing.policy.routes import Matcher
from routing.reason import Origin
from routing.severity import Severity


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
    undo: "RunbookStep | None" = None
    """What takes it back."""
    expires_ms: int = 0
    """It is taken back after so long; 0: it stays."""
    when: str = ""
    """A jmespath condition over what was diagnosed: the step is left out where it does not hold; "" for always."""
    affects: str = ""
    """A jmespath expression over what was diagnosed: how many it would affect; "" where nobody counts."""


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
class Budget:
    """How many runs may start."""

    per_hour: int
    per_day: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Guard rails per target. None of them can be switched off, only set."""

    cooldown_ms: int = 600_000
    per_hour: int = 3
    per_day: int = 7
    everywhere: Budget = Budget(10, 50)
    """Of this runbook, over all targets."""
    breaker_failures: int = 2
    breaker_open_ms: int = 3_600_000
    max_affected: int = 0
    """More than so many are only affected once somebody approved; 0 where nobody counts."""


@dataclass(frozen=True, slots=True)
class Approvers:
    """Whom a run asks before it changes anything: `people` of them must say yes `within_ms`."""

    targets: tuple[tuple[str, str], ...]
    people: int
    within_ms: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Task:
    """What a runbook that repairs nothing hands over: work for whoever the targets mean, reminded of until done."""

    text: str
    targets: tuple[tuple[str, str], ...]
    remind_ms: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Runbook:
    """It has either `remediate` and `verify`, or a `task`."""

    id: str
    version: int
    title: str
    matchers: tuple[Matcher, ...]
    """Matched against the labels of the incident's alerts (source, kind, service, ... included)."""
    target: str
    mode: str
    """auto, approve, dry_run or off. In dry run mutating steps are reported, not done."""
    limits: Limits
    timeout_ms: int
    diagnose: tuple[RunbookStep, ...]
    guards: tuple[Guard, ...]
    remediate: tuple[RunbookStep, ...]
    verify: Verify | None
    origin: Origin
    resolves: bool = True
    followups: tuple[tuple[str, int], ...] = ()
    """(text, remind after ms) for what a success leaves to do: "promote again"."""
    when_severity: tuple[Severity, ...] = ()
    approval: Approvers | None = None
    task: Task | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Texts that its steps name, and that whoever starts it by hand may say differently."""
    next_on_failure: str = ""
    """The runbook that is tried for the same incident when a run of this one fails; "" for none."""

    @property
    def hands_over(self) -> bool:
        """It repairs nothing: a person goes on from what it found."""
        return self.task is not None

    @property
    def steps(self) -> tuple[RunbookStep, ...]:
        """In the order they are carried out; without those that take one back."""
        return (*self.diagnose, *self.remediate, *((self.verify.step,) if self.verify else ()))
