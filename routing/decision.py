"""Decision: what one entry changes, what is to be done, and why. Data only."""

from dataclasses import dataclass
from enum import StrEnum

from routing.effect import AnyEffect
from routing.incident import Moment, Verdict
from routing.record import Record


class Table(StrEnum):
    """The tables of the state. A record is addressed by table and key."""

    INCIDENT = "incident"
    ALERT = "alert"
    DELIVERY = "delivery"
    NOTICE = "notice"
    """Deliveries that belong to no incident."""
    RUN = "run"
    TIMER = "timer"
    WINDOW = "window"
    DEPLOY = "deploy"
    TARGET = "target"
    SILENCE = "silence"
    OVERRIDE = "override"
    SWITCH = "switch"
    RATION = "ration"
    FACT = "fact"
    """Single values: the policy version, the last incident number."""


@dataclass(frozen=True, slots=True)
class Put:
    """The record replaces what the table had under the key. `incident` owns it ("" when none does)."""

    table: Table
    key: str
    record: Record
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    table: Table
    key: str
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A line for an incident's timeline."""

    incident: str
    moment: Moment


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The effect is done or no longer wanted: it leaves the outbox, and cannot be claimed any more."""

    effect: str


@dataclass(frozen=True, slots=True)
class Retire:
    """The incident is closed for good: it and all it owns move to the archive."""

    incident: str


@dataclass(frozen=True, slots=True)
class Bury:
    """Work given up: kept as a dead letter of this kind ("undelivered", "unremediated")."""

    kind: str
    subject: str
    incident: str
    error: str
    raw: bytes


Change = Put | Drop | Note | Withdraw | Retire | Bury


@dataclass(frozen=True, slots=True)
class Decision:
    """Changes are in order; a later Put of the same key supersedes an earlier one."""

    changes: tuple[Change, ...] = ()
    effects: tuple[AnyEffect, ...] = ()
    verdict: Verdict | None = None
    """For events: what became of it."""
