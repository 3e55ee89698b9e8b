"""Decision: what one entry changes, what is to be done, and why. Data only.

A dozen are made for each entry: structs are made in a fifth of the time a frozen dataclass takes.
"""

from enum import StrEnum

import msgspec

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
    PUBLIC = "public"
    """What was said in public, by incident; kept for as long as the status page shows it."""
    HINT = "hint"
    """Events that wait until the vendor was asked for their rest, by their entry."""
    TRIAL = "trial"
    """Tests whose code has not come back."""
    FACT = "fact"
    """Single values: the policy version, the last incident number."""


class Put(msgspec.Struct, gc=False):
    """The record replaces what the table had under the key. `incident` owns it ("" when none does).

    A draft writes the last of several records into the first put; once it is decided nobody does.
    """

    table: Table
    key: str
    record: Record
    incident: str = ""


class Drop(msgspec.Struct, frozen=True, gc=False):
    table: Table
    key: str
    incident: str = ""


class Note(msgspec.Struct, frozen=True, gc=False):
    """A line for an incident's timeline."""

    incident: str
    moment: Moment


class Withdraw(msgspec.Struct, frozen=True, gc=False):
    """The effect is done or no longer wanted: it leaves the outbox, and cannot be claimed any more."""

    effect: str


class Retire(msgspec.Struct, frozen=True, gc=False):
    """The incident is closed for good: it and all it owns move to the archive."""

    incident: str


class Bury(msgspec.Struct, frozen=True, gc=False):
    """Work given up: kept as a dead letter of this kind ("undelivered", "unremediated")."""

    kind: str
    subject: str
    incident: str
    error: str
    raw: bytes


Change = Put | Drop | Note | Withdraw | Retire | Bury


class Decision(msgspec.Struct, frozen=True, gc=False):
    """Changes are in order; a later Put of the same key supersedes an earlier one."""

    changes: tuple[Change, ...] = ()
    effects: tuple[AnyEffect, ...] = ()
    verdict: Verdict | None = None
    """For events: what became of it."""
    about: str = ""
    """The entry that the verdict is about, where it is an earlier one."""
