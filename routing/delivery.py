"""Delivery: one message to one person over one channel, through all its attempts."""

from enum import StrEnum

from routing.record import Record
from routing.severity import Severity


class Purpose(StrEnum):
    PAGE = "page"
    """Somebody must act: may ring."""
    UPDATE = "update"
    """Somebody must know: acknowledged, resolved, repaired. Never rings a phone."""


class Progress(StrEnum):
    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Nothing more is owed to it by us: later receipts may still refine it."""
        return self not in {Progress.PENDING, Progress.CLAIMED}


class Message(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be said, before a channel shapes it. No secrets, no links: the worker signs those."""

    title: str
    body: str
    speech: str = ""
    """The same for the ear: short sentences, no URLs, no ids spelled by machine."""


class Delivery(Record, frozen=True, kw_only=True, omit_defaults=True):
    """`attempt` counts from 1; `repeat` marks an attempt that may be the second one to arrive."""

    id: str
    incident: str
    contact: str
    channel: str
    address: str
    purpose: Purpose
    severity: Severity
    message: Message
    progress: Progress
    created_at: int
    changed_at: int
    attempt: int = 1
    repeat: bool = False
    stage: int = -1
    round: int = 0
    provider_id: str = ""
    answer: str = ""
    error: str = ""
    sandbox: bool = False
    why: str = ""
