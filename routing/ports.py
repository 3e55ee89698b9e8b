"""What a vendor's module must offer. The module itself is the plug-in, found by its name.

A source lives in `receiver/sources/<vendor>.py`, a channel in `workers/channels/<vendor>.py`, an action
family in `workers/actions/<vendor>.py`. Nothing else names a vendor.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple, Protocol

import msgspec
from pydantic import BaseModel

from routing.delivery import Message, Purpose
from routing.entry import AlertCommand
from routing.event import Event, Status
from routing.incident import Incident
from routing.policy import Contact, Source
from routing.public import Public
from routing.run import Run
from routing.severity import Severity


class Inbound(msgspec.Struct, frozen=True):
    """A request as it came: raw bytes, header names in lower case.

    A struct, as is all that is made for every request: a frozen dataclass costs ten times as much to make.
    """

    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]
    received_at: int
    document: bytes = b""
    """What the module's `document` asked for; b"" where it asks for nothing."""
    path: str = ""
    """Where it was sent to, without the query; "" where it is read again later."""


class Unread(msgspec.Struct, frozen=True):
    """An element of an authentic body that could not be read; it becomes a dead letter."""

    reason: str
    where: str
    raw: bytes


class Parsed(msgspec.Struct, frozen=True):
    events: Sequence[Event]
    unread: Sequence[Unread] = ()
    commands: Sequence[AlertCommand] = ()
    """What the source wants done about what it reported before."""


class Answer(msgspec.Struct, frozen=True):
    """What a vendor wants to hear, where that is not our 202 with ids."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""


class SourceModule(Protocol):
    """`verify` and `parse` are pure: no clock (it is `inbound.received_at`), no network.

    What only some vendors need, a module has only then (`receiver/gates.py` reads it):

    - `METHODS`: what it sends besides POST. `PATH`: where, if not at `/hooks/<name>`.
    - `MAIL = True`: it reads mail as it is sent (`message/rfc822`), which the SMTP port takes for it.
    - `SETTINGS`: name -> what for, in a few words: what it takes from `settings` of its source.
    - `faults(settings) -> Sequence[Refusal]`: what is wrong with those that are given, besides their names.
    - `handshake(method, headers, query, source) -> Answer | None`: to a request of another method, before anything
      is verified and without a body; None is a 405.
    - `greeting(inbound, source) -> Answer | None`: to a POST that cannot be verified and holds nothing; None is a 401.
    - `answer(inbound, source) -> Answer | None`: instead of our 202, once all is kept; None is the 202.
    - `document(inbound, secrets, source) -> str`: the address of what `verify` must see as `inbound.document`; ""
      for none. Raises BadSignature, so that a stranger cannot have anything fetched.
    - `confirmation(inbound, source) -> str`: an address that must be asked before the answer; "" for none.
    - `scrubbed(body) -> bytes`: what is kept of a body that was read, without what nobody should find there.
    - `packed(value) -> bytes`: a sample as the vendor writes it, where that is not its JSON.
    - `address(value) -> str`: path and query that a sample is sent to, where not all of them have one.
    - `sign_for(source, body, secret, at)`: `sign`, where the source's settings say how.
    """

    TITLE: str
    SETUP: str
    """How to point the vendor here, in a few lines of Markdown."""
    VERIFIED: str
    """What shows that it is the vendor, for the table in docs/sources.md."""
    REPEAT: str
    """What it is when the same comes twice, likewise."""
    STATES: frozenset[Status]
    """What its events say of a condition; its samples show each."""

    @staticmethod
    def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
        """Raises BadSignature."""

    @staticmethod
    def parse(inbound: Inbound, source: Source) -> Parsed:
        """Raises Unreadable when nothing of the body can be read."""

    @staticmethod
    def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
        """The headers the vendor would send with this body at this instant (ms)."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What a channel gets. `ack_url` is signed by the worker; "" when nothing can be acknowledged."""

    delivery: str
    incident: str
    to: str
    purpose: Purpose
    severity: Severity
    message: Message
    attempt: int
    repeat: bool
    ack_url: str
    callback_url: str
    """Base of this delivery's callbacks; "" without a public URL."""
    standing: Incident | None = None
    """The incident as it is when the message leaves, which may be later than what the message tells; None where
    the message belongs to none, or it is archived."""
    person: Contact | None = None
    """Whom it is for, with their time zone; None once they are configured no more."""
    urgent: bool = False
    channel: str = ""
    """The name it is configured by; "" where nothing can be called back."""
    run: str = ""
    """The run that waits for an approval of theirs, where the page asks for it."""
    recalls: str = ""
    """Of a recall: the call to end, as `Sent` named it."""
    together: bool = False
    """It tells of several incidents."""
    public: Public | None = None
    """What was said in public, with its latest word, where that is what the message is about. `standing` is None then:
    nothing else of the incident is for everybody."""
    documents: Callable[[], Mapping[str, bytes]] | None = None
    """Makes the files of the status page as it is then: name -> content."""
    asked: Run | None = None
    """The run that somebody is asked to approve, as it is when the message leaves."""
    thread: str = ""
    """Of a channel with threads: what this message continues, as `Sent` named it; "" opens one."""
    involved: tuple[str, ...] = ()
    """Addresses on the same channel of whoever was paged for the incident, has it, or has a role in it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took it. `answer` is its answer in short, without secrets."""

    provider_id: str
    answer: str = ""
    thread: str = ""
    """Of a channel with threads: what later messages are to continue, where that is neither what this one
    continued nor, if it opened one, its own id.
    """


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `per_s` messages a second of all that name the same `key`, like "twilio:AC...:calls"."""

    key: str
    per_s: float


class ChannelModule(Protocol):
    """`THREADS = True`, where a module has it: what it says to one place about one incident is one thread. Of the
    first message it gets no `thread`, of all later ones the one that was opened. `LETTERS = True`: what it brought
    stays as it was, and is read when somebody looks: who has it by now is told there only to who hears it nowhere
    else. `MACHINE = True`: a program reads it, which is told of each incident by itself. `BEST_EFFORT = True`: no
    page should rely on it alone. `Bounces`: the model of a mailbox where reports of failure arrive. `ADDRESS`: the
    pattern that every address there fits as a whole. `RECALLS = True`: it can end a call that it made, when it is
    asked to send a message of that purpose.

    What its vendor takes only so fast is said by `limits(notification, settings) -> Sequence[Pace]`; a module
    without it is bound by nothing. Each of them holds for all workers together.
    """

    TITLE: str
    VOICE: bool
    Settings: type[BaseModel]

    @staticmethod
    def send(notification: Notification, settings: Any, timeout_s: float) -> Sent:
        """Raises DeliveryError."""

    @staticmethod
    def preview(notification: Notification, settings: Any) -> dict[str, str]:
        """What would be sent, for the sandbox's outbox: the vendor's own fields, secrets left out."""


@dataclass(frozen=True, slots=True)
class Step:
    """What an action's function gets besides its parameters."""

    settings: Mapping[str, str]
    """Of the vendor as configured: base URL, token, ... resolved."""
    timeout_s: float
    idempotency_key: str
    now: int
    allowed: Callable[[], bool] = field(default=lambda: True)
    """False once the kill switch is on: asked again right before a mutating call."""
    left: Callable[[], float] = field(default=lambda: inf)
    """Seconds of the step's time that are left, which all its calls share; 0 or less once it is used up."""


class Window(NamedTuple):
    """What a vendor is asked for: since and until when (ms), and from which place of its list on, "" the beginning."""

    since_at: int
    until_at: int
    after: str = ""


class Missed(NamedTuple):
    """Something that may never have reached us, as the vendor would have posted it. `id`: the vendor's word for it."""

    id: str
    body: bytes
    headers: Mapping[str, str] = {}


class Page(NamedTuple):
    """A piece of the vendor's list, newest first. `after`: the place where it goes on; "" at its end."""

    missed: Sequence[Missed]
    after: str = ""


class PollerModule(Protocol):
    """`workers/pollers/<vendor>.py`: asks the vendor of a source of the same name for what we missed.

    A module that has `troubles(step, settings, source) -> Mapping[str, str]` also says what the vendor knows to be
    wrong with its way to us, by an id of its own: "we_1" -> "is disabled". One whose events may be `partial` has
    `retrieve(step, settings, event) -> Missed`: the whole, as the source's module reads it.
    """

    TITLE: str
    GRACE_MS: int
    """What is younger is left to come by itself."""
    OVERLAP_MS: int
    """So far before the end of the last look the next one begins: what was not over then, and clocks that differ."""
    FIRST_MS: int
    """So far back the first look goes."""
    Settings: type[BaseModel]
    """A `workers.polling.Polling`. One without default may be a secret; without it, nobody asks."""

    @staticmethod
    def page(step: "Step", settings: Any, window: Window, known: Container[str]) -> Page:
        """What is `known` by its id was handed in already. Raises ActionError."""


@dataclass(frozen=True, slots=True)
class Action:
    """`run(step, params)` returns JSON-able output. Raises ActionError."""

    params: type[BaseModel]
    mutates: bool
    run: Callable[[Step, Any], dict[str, Any]]
    undo: str = ""
    """The action that takes it back, or "irreversible"; "" where nothing is left to take back."""
    plan: Callable[[Step, Any], dict[str, Any]] | None = None
    """What a dry run puts out instead: {"would": {"method", "url", ...}} and facts known without asking."""


class ActionModule(Protocol):
    """`ACTIONS` maps the name after the dot of "vercel.rollback"."""

    TITLE: str
    SETTINGS: Sequence[str]
    """Names of the settings it takes from `config/actions.yaml`, documented in its docstring. Where they are more
    than texts, the module also has `Settings`, the model they must fit; steps get what is no text as JSON.
    `SHARED`, where a module has it, are those that do not name a target, like a vendor's own address or named
    queries: they hold in every environment. All others are production's alone.
    """
    ACTIONS: Mapping[str, Action]
