"""Delivery: one message to one person over one channel, through all its attempts."""

from enum import StrEnum

from routing.record import Record
from routing.severity import Severity


class Purpose(StrEnum):
    PAGE = "page"
    """Somebody must act: may ring."""
    UPDATE = "update"
    """Somebody must know: acknowledged, resolved, repaired. Never rings a phone."""
    APPROVAL = "approval"
    """Somebody is asked whether a repair may go on. Never rings a phone."""
    PUBLIC = "public"
    """Everybody may know: goes to a status page, and holds nothing that was not meant for it."""
    NOTICE = "notice"
    """Somebody should know of their shift. Belongs to no incident; never rings a phone."""
    RECALL = "recall"
    """A call is ended, for somebody has the incident or it is over. Never rings a phone."""
    TEST = "test"
    """Somebody is to see that they are reached this way: may ring. Belongs to no incident."""


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
        return self not in _OWED


_OWED = frozenset({Progress.PENDING, Progress.CLAIMED})


class Message(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be said, before a channel shapes it. No secrets, no links: the worker signs those."""

    title: str
    body: str
    speech: str = ""
    """The same for the ear: short sentences, no URLs, no ids spelled by machine."""
    html: str = ""
    """The same for mail, where a template gives it; only the worker that sends it has it."""


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
    start: int = 0
    """Which start of the incident's escalation it belongs to, with `stage` and `round` the step."""
    held: str = ""
    """Why it has not left yet: one of Held; "" when nothing holds it."""
    number: int = 0
    """Its place among all that were held for the same contact and method."""
    carrier: str = ""
    """The delivery that told of it, together with others."""
    listed: list[str] = []
    """Incidents a message for several names: an answer to it means all of them."""
    deferred_at: int = 0
    """Since when (ms) its present attempt waits for the pace of its provider; 0: it does not."""
    run: str = ""
    """The run it asks about, where it asks for approval, or is a page that does so as well."""
    recalls: str = ""
    """Of a recall: the call it ends, by the provider's id."""


class Thread(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What was said to one place about one incident, over a channel where later messages continue the first."""

    contact: str
    channel: str
    address: str
    id: str = ""
    """The provider's; "" until the first message was accepted."""
    opener: str = ""
    """The delivery that opens it, or has opened it."""
    sandbox: bool = False


class Held(StrEnum):
    LATER = "later"
    """A further method of the contact: it has its turn if the first ones bring no answer."""
    LIMIT = "limit"
    """The contact was told so often lately that it waits, and goes out together with others."""
    DIGEST = "digest"
    """Collected until the contact's hour."""
    MORNING = "morning"
    """What is left to do after incidents: collected until the contact's morning."""
    THREAD = "thread"
    """The message that opens the thread it belongs to is under way."""


COLLECTED = frozenset({Held.DIGEST.value, Held.MORNING.value})
"""These leave at their hour, whatever was told before."""
BUNDLED = COLLECTED | {Held.LIMIT.value}


class Ration(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What one contact was told over one method: enough to keep the limits, never more."""

    key: str
    times: list[int] = []
    """When the last messages left, newest last; at most as many as the limits count."""
    held: int = 0
    """How many were ever held back."""
    told: int = 0
    """The number of the last one that a message for several told of."""
    carrier: str = ""
    """That message."""
    until_at: int = 0
    """Until when some limit remembers it, or something waits for it (ms)."""


def ration_key(delivery: Delivery) -> str:
    """Pages, updates and what is collected are limited each on their own: an update never keeps a page waiting."""
    kind = delivery.held if delivery.held in COLLECTED else delivery.purpose
    place = f"{delivery.channel}:{delivery.address}"
    # "#incident-{date}" is another room for each incident: nothing of one belongs into another's.
    own = f":{delivery.incident}" if "{" in delivery.address else ""
    return f"{kind}:{delivery.contact}:{place}{own}"
