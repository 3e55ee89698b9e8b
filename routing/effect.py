"""Effects: what a decision wants done in the world, as data. Workers carry them out."""

from typing import Any

from routing.delivery import Message, Purpose
from routing.record import Record
from routing.severity import Severity


class Effect(Record, frozen=True, kw_only=True, omit_defaults=True, tag_field="do"):
    """`id` names it for ever; `attempt` starts at 1. `queue` is "urgent" or "normal" within its kind.

    An effect stays in the outbox until its result is folded; claiming it compares id and attempt.
    """

    id: str
    attempt: int
    incident: str
    repeat: bool = False


class Deliver(Effect, frozen=True, kw_only=True, omit_defaults=True, tag="deliver"):
    """Say `message` to `address` over `channel`. `id` is the delivery's id."""

    contact: str
    channel: str
    address: str
    purpose: Purpose
    severity: Severity
    message: Message
    urgent: bool = False
    run: str = ""
    """The run that waits for an approval of this contact, where the page asks for it."""
    recalls: str = ""
    """Of a recall: the call to end, by the provider's id."""
    together: bool = False
    """The message tells of several incidents."""
    thread: str = ""
    """What it continues, by the provider's id; "" where it opens one, or the channel has none."""
    waited: bool = False
    """It comes back at the time it was told, because its provider takes only so many a second."""


class Step(Effect, frozen=True, kw_only=True, omit_defaults=True, tag="step"):
    """Carry out one runbook step. `id` is "<run>/<step>"; `params` are already filled in."""

    run: str
    step: str
    action: str
    params: dict[str, Any]
    timeout_ms: int
    mutates: bool = False
    dry_run: bool = False
    lock: str = ""
    """Target to lock before acting; the run is the lock's owner."""
    idempotency_key: str = ""
    evidence: bool = False
    """It finds what a person will go on from. It may take long, and no repair waits behind it."""
    looked_at: int = 0
    """When (ms) its run began to look at the target; 0 where it need not have."""


AnyEffect = Deliver | Step
