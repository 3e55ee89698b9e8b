"""Entries of the event log: everything that can happen, and the only thing that changes state."""

from enum import StrEnum
from typing import Any

import msgspec

from routing.event import Event
from routing.public import Health, Said
from routing.record import Record


class Lane(StrEnum):
    """Strict priority, in this order."""

    CONTROL = "control"
    URGENT = "urgent"
    BULK = "bulk"


class Entry(Record, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """`at`: when it was appended, ms, by the appender's clock. `by`: who caused it (a person, a process)."""

    at: int
    by: str = ""
    v: int = 1
    """Schema version it was written with; absent means 1."""
    client: str = ""
    """How and from where, for the audit: "session 1f0c9a from 192.0.2.7"; "" from the command line, or a process."""


class Signal(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="signal"):
    """A source reported an event. `replay_of` is the id of the event this one replays."""

    event: Event
    replay_of: str = ""
    found: str = ""
    """How we found it ourselves, where the source did not bring it: "polling", "retrieval"."""
    completes: str = ""
    """The id of the event of which this is the whole."""


class Speaker(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A person as a vendor's channel knows them: "slack", "U02ABCDEF", "anna.nowak"."""

    vendor: str
    id: str
    name: str = ""


class Answer(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="answer"):
    """A person answered a notification: a key pressed, an SMS sent back, a link clicked.

    `delivery` is known for keys and links; an SMS has only the `address` it came from. `text` is what was
    pressed or written: "4", "ack", "1a".
    """

    channel: str
    text: str
    delivery: str = ""
    address: str = ""
    who: Speaker | None = None
    """Who it was, where a message reaches several; else whoever the delivery was for."""


class Verb(StrEnum):
    ACK = "ack"
    RESOLVE = "resolve"
    ESCALATE = "escalate"
    NOTE = "note"
    DONE = "done"
    """A follow-up is done; the text names it, "" means all of them."""
    SNOOZE = "snooze"
    """Nobody is paged before `until_at`."""
    REASSIGN = "reassign"
    """`to` has it from now on: "contact:anna", "team:payments" or "schedule:primary"."""
    MERGE = "merge"
    """The alerts move to the incident `to`."""
    STATUS = "status"
    """`text` says how it stands, to all who were paged."""
    RUN = "run"
    """The runbook named in `text` is run for the incident."""
    APPROVE = "approve"
    """The run named in `text`, or the one that waits, may go on."""
    DENY = "deny"
    UNDO = "undo"
    """What the run named in `text` has changed is taken back."""
    LEAVE = "leave"
    """What the run named in `text` has changed stays, and is not taken back by itself: `reason` says why."""
    ROLE = "role"
    """The role named in `text` is `to`'s now."""


class Command(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="command"):
    """An operator acts on an incident from the command line, the API or a chat.

    `via` says which way, "" the command line; `who` is the person there, where `by` is not their name.
    """

    incident: str
    verb: Verb
    text: str = ""
    to: str = ""
    until_at: int = 0
    reason: str = ""
    via: str = ""
    who: Speaker | None = None
    inputs: dict[str, str] = {}
    """Of a runbook that is run: what its inputs are to be instead of what it says."""


class AlertCommand(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="alert_command"):
    """A source acts on what it reported itself: on the incident of one of its alerts.

    Meant is the `alert` of that fingerprint, or the whole `incident`. `verb` is ACK, NOTE or RESOLVE; the last ends
    the alert, and the incident once nothing else of it fires. `text` is noted, with every verb. `by` is who, as
    the source says.
    """

    source: str
    verb: Verb
    alert: str = ""
    incident: str = ""
    text: str = ""
    via: str = ""


class Graded(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="graded"):
    """A person says how bad an incident is. Nothing else lowers one."""

    incident: str
    severity: int
    reason: str = ""


class Opened(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="opened"):
    """A person opens an incident by hand."""

    title: str
    severity: int
    service: str = ""
    team: str = ""
    summary: str = ""


class Reviewed(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="reviewed"):
    """A person adds to the report on an incident what no record tells; "" leaves what was said before."""

    incident: str
    impact: str = ""
    root_cause: str = ""
    measures: str = ""
    """What prevents it from now on."""


class Published(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="published"):
    """A person says in public how it stands. `text` "" takes the words of the template; `components` are services,
    [] for those it is about already.
    """

    incident: str
    said: Said
    text: str = ""
    components: list[str] = []
    health: Health | None = None


class TimerDue(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="timer"):
    """A timer came due. One that is no longer set, or was set again for later, changes nothing."""

    timer: str
    due_at: int


class Claimed(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="claimed"):
    """A worker is about to carry out an effect; it answers within `timeout_ms` or it died."""

    effect: str
    attempt: int
    timeout_ms: int


class Outcome(StrEnum):
    OK = "ok"
    TEMPORARY = "temporary"
    """Failed; the same call may succeed later."""
    PERMANENT = "permanent"
    """Failed; repeating it cannot help."""
    UNKNOWN = "unknown"
    """No answer: it may or may not have happened."""
    REFUSED = "refused"
    """Not attempted: a lock, a cap or the kill switch said no."""


class Delivered(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="delivered"):
    """What the provider answered to one attempt of a delivery."""

    delivery: str
    attempt: int
    outcome: Outcome
    provider_id: str = ""
    answer: str = ""
    """The provider's answer in short, secrets removed."""
    error: str = ""
    retry_after_ms: int = 0
    sandbox: bool = False
    remark: str = ""
    """What else its reader should know: a template that failed, so that the plain message went out."""
    thread: str = ""
    """What later messages to the same place are to continue, where the channel says so."""
    opted_out: bool = False
    """It failed because whose address it is wants nothing from us."""


class Deferred(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="deferred"):
    """It was not a delivery's turn yet, by the pace its provider takes: nobody claimed it, nothing was sent."""

    delivery: str
    attempt: int
    wait_ms: int
    why: str


class Receipt(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="receipt"):
    """A provider called back later: delivered, answered, busy, no-answer, failed. May precede Delivered."""

    delivery: str
    status: str
    provider_id: str = ""
    detail: str = ""


class StepDone(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="step"):
    """What one attempt of a runbook step brought. `output` is bounded JSON, secrets removed."""

    run: str
    step: str
    attempt: int
    outcome: Outcome
    output: Any = None
    error: str = ""
    retry_after_ms: int = 0
    request: str = ""
    """What was asked of the provider, for the audit: "POST /v1/projects/prj_1/rollback/dpl_1"."""
    stale: bool = False
    """It was refused because the target may have changed since the run looked at it."""
    params: Any = None
    """What it was done with, bounded and without secrets like `output`."""


class SilenceSet(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="silence"):
    """A person mutes by matchers until `until_at`; the same id replaces it, an earlier end expires it."""

    id: str
    matchers: list[str]
    until_at: int
    reason: str = ""
    from_at: int = 0
    annotations: dict[str, str] = {}
    """What another program noted with it."""


class OverrideKind(StrEnum):
    """What an override does with whom the schedule and the overrides before it name."""

    REPLACE = "replace"
    """`contact` takes the place of all of them, or of `instead_of` where that one is on call."""
    ADD = "add"
    REMOVE = "remove"
    SHADOW = "shadow"
    """`contact` is told, and never awaited."""
    SWAP = "swap"
    """`contact` for `instead_of` in its time, `instead_of` for `contact` between the two `back_…_at`."""
    TEMPORARY = "temporary"
    """Nothing but `shifts` counts: a whole schedule for a time, with nobody on call between them."""
    IMPORT = "import"
    """`shifts` of a calendar, beneath every other override. Between them the layers count, unless `exclusive`."""


class Shift(Record, frozen=True, kw_only=True, omit_defaults=True):
    contact: str
    from_at: int
    until_at: int


class OverrideSet(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="override"):
    """Something laid over a schedule between two instants. Without `contact` and `shifts` it is taken back."""

    id: str
    schedule: str
    contact: str
    from_at: int
    until_at: int
    kind: OverrideKind = OverrideKind.REPLACE
    instead_of: str = ""
    back_from_at: int = 0
    back_until_at: int = 0
    shifts: list[Shift] = []
    exclusive: bool = False
    """Of an import: nobody is on call between its shifts."""

    @property
    def stands(self) -> bool:
        return bool(self.contact or self.shifts)

    @property
    def over_at(self) -> int:
        """From this instant (ms) on it changes nothing any more."""
        return max(self.until_at, self.back_until_at)


class Verified(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="verified"):
    """A person says that who this address is of was reached there; `over` takes it back."""

    channel: str
    address: str
    over: bool = False


class TrialSet(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="trial"):
    """A test goes to a contact's address; with a `code` of six digits, whoever returns it is reached there.

    `id` becomes its delivery's.
    """

    id: str
    contact: str
    channel: str
    address: str
    code: str = ""


class SwitchSet(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="switch"):
    """An operator's switch: "kill" stops all automation, "pause:<source>" takes a source's events aside."""

    name: str
    on: bool
    reason: str = ""


class PolicySet(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="policy"):
    """From here on the policy with this hash decides."""

    version: str


class Unretrieved(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="unretrieved"):
    """What the vendor would tell of an event when asked, it does not: `event` is the entry's id."""

    event: str
    why: str


class Revived(Entry, frozen=True, kw_only=True, omit_defaults=True, tag="revived"):
    """An operator retries work given up: `subject` is the delivery's or the run's id."""

    dead: str
    subject: str


AnyEntry = (
    Signal
    | Answer
    | Command
    | AlertCommand
    | Graded
    | Opened
    | Reviewed
    | Published
    | TimerDue
    | Claimed
    | Delivered
    | Deferred
    | Receipt
    | StepDone
    | SilenceSet
    | OverrideSet
    | Verified
    | TrialSet
    | SwitchSet
    | PolicySet
    | Unretrieved
    | Revived
)

_encoder = msgspec.json.Encoder()
_decoder: "msgspec.json.Decoder[AnyEntry]" = msgspec.json.Decoder(AnyEntry)


def encode_entry(entry: AnyEntry) -> bytes:
    return _encoder.encode(entry)


def decode_entry(raw: bytes) -> AnyEntry:
    """Read one entry. Raises msgspec.ValidationError or msgspec.DecodeError when it is not one."""
    return _decoder.decode(raw)
