"""Scenario: what happens on a time line, how the world answers, and what is expected of the policy."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from routing.entry import AnyEntry, Outcome
from routing.reason import Origin
from routing.severity import Severity


@dataclass(frozen=True, slots=True)
class Reply:
    """A contact answers the latest page they got: "4", "ack", "resolve", ... over the channel it came by."""

    contact: str
    text: str


@dataclass(frozen=True, slots=True)
class Happening:
    """`after_ms` from the scenario's start. An entry gets the instant it happens at."""

    after_ms: int
    what: AnyEntry | Reply
    origin: Origin


class Answering(StrEnum):
    """How the world takes an effect: an outcome, or a worker that is not there or dies."""

    OK = Outcome.OK.value
    TEMPORARY = Outcome.TEMPORARY.value
    PERMANENT = Outcome.PERMANENT.value
    UNKNOWN = Outcome.UNKNOWN.value
    NO_WORKER = "no_worker"
    DIES = "dies"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the world answers between two instants (ms from the start); the first that fits counts.

    "" fits every channel, contact, action and step. `gives` is a step's output. `says` is what a contact
    answers `after_ms` after being reached, "" when nothing.
    """

    origin: Origin
    channel: str = ""
    contact: str = ""
    action: str = ""
    step: str = ""
    from_ms: int = 0
    until_ms: int = 1 << 62
    answers: Answering = Answering.OK
    gives: Any = None
    says: str = ""
    after_ms: int = 1_000


class Subject(StrEnum):
    """What an expectation is about."""

    PAGED = "paged"
    TOLD = "told"
    RAN = "ran"
    INCIDENT = "incident"
    INCIDENTS = "incidents"
    PAGED_IN_ORDER = "paged_in_order"


@dataclass(frozen=True, slots=True)
class Expectation:
    """Something that must be so between two instants (ms from the start), or must not be (`never`).

    `name` is a contact for paged and told, a runbook for ran. An incident is looked at when `until_ms` is
    reached; None looks at the end.
    """

    subject: Subject
    origin: Origin
    name: str = ""
    names: tuple[str, ...] = ()
    channel: str = ""
    never: bool = False
    from_ms: int = 0
    until_ms: int | None = None
    status: str = ""
    severity: Severity | None = None
    service: str = ""
    title: str = ""
    ends: str = ""
    """How a run must end: succeeded, stopped, refused, failed; "" however."""
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """`start_at` in ms since the epoch; `longest_ms` is when it stops though something is still open."""

    name: str
    title: str
    timezone: str
    start_at: int
    longest_ms: int
    exactly: bool
    """Play the whole of `longest_ms`, also when nothing is open any more."""
    happenings: tuple[Happening, ...]
    world: tuple[Behaviour, ...] = ()
    expectations: tuple[Expectation, ...] = field(default=())
    reference: str = ""
    """Which sections of the operator's procedures it rehearses, in commas."""
