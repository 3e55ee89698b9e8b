"""From the bytes of a request to what is kept of it: verified first, parsed second, nothing lost between."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
import sentry_sdk

from ledger import dead_letter, handing
from ledger.dead_letter import DeadLetter
from ledger.handing import Handed
from ledger.log import NewEvent, Request
from receiver import body, refuse
from receiver.allowance import Allowance
from receiver.redaction import redacted
from receiver.refuse import Refused
from routing.entry import AlertCommand, Lane, Signal, Verb, encode_entry
from routing.errors import BadSignature, Unreadable
from routing.event import Event
from routing.policy import Source
from routing.ports import Answer, Inbound, Parsed, SourceModule

_BY = "receiver"
_BROUGHT = Handed("")
"""By the source itself."""


Handshake = Callable[[str, Mapping[str, str], Mapping[str, str], Source], Answer | None]


@dataclass(frozen=True, slots=True)
class Gate:
    """A configured source, ready to take requests. `unset`: names of secrets this process was not given.

    The rest is what only some have: see `routing.ports.SourceModule`.
    """

    source: Source
    module: SourceModule
    secrets: tuple[str, ...]
    unset: tuple[str, ...] = ()
    door: tuple[str, ...] = ()
    """Secrets under which our own workers hand in what they found of it."""
    methods: frozenset[str] = frozenset({"POST"})
    allowance: Allowance | None = None
    handshake: Handshake | None = None
    answer: Callable[[Inbound, Source], Answer | None] | None = None
    document: Callable[[Inbound, Sequence[str], Source], str] | None = None
    confirmation: Callable[[Inbound, Source], str] | None = None
    scrubbed: Callable[[bytes], bytes] | None = None
    greeting: Callable[[Inbound, Source], Answer | None] | None = None
    placed: bool = field(init=False)
    """Whether what it sends may mean something else in another place."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "placed", hasattr(self.module, "PATH"))

    @property
    def ceremonious(self) -> bool:
        """Whether its vendor wants more than to be kept and told so."""
        return bool(self.answer or self.document or self.confirmation or self.greeting)


def admit(
    gate: Gate, wire: bytes, headers: Mapping[str, str], query: Mapping[str, str], now: int, path: str = ""
) -> Request:
    """What is to be kept of one request. Raises BadSignature, or Refused when there is nothing to keep."""
    if not gate.secrets:
        raise unarmed(gate)
    try:
        plain = body.unpack(wire, headers, gate.source.max_bytes)
    except body.Undecodable as error:
        return _packed_wrong(gate, Inbound(wire, headers, query, now), error)
    return judge(gate, Inbound(plain, headers, query, now, path=path))


def unarmed(gate: Gate) -> Refused:
    return refuse.no_secret(" or ".join(gate.unset) or f"a secret for {gate.source.name}")


def judge(gate: Gate, inbound: Inbound) -> Request:
    """The same, of a body that is unpacked. Raises BadSignature, or Refused."""
    handed = handing.verify(inbound.headers, gate.source.name, inbound.body, gate.door, inbound.received_at)
    if handed is None:
        gate.module.verify(inbound, gate.secrets, gate.source)
    if gate.allowance is not None:
        gate.allowance.spend(inbound.received_at)
    try:
        parsed = gate.module.parse(inbound, gate.source)
    except Unreadable as error:
        return _unreadable(gate, inbound, str(error))
    except Exception as error:  # noqa: BLE001  # a fault of ours in a parser must not lose what a vendor said
        sentry_sdk.capture_exception(error)
        return _unreadable(gate, inbound, "our parser failed on it", traceback.format_exc(limit=-8))
    return _request(gate, inbound, parsed, handed)


def _request(gate: Gate, inbound: Inbound, parsed: Parsed, handed: Handed | None) -> Request:
    source, kept = gate.source, _headers(gate, inbound)
    return Request(
        source.name,
        gate.scrubbed(inbound.body) if gate.scrubbed else inbound.body,
        orjson.dumps(kept),
        _new_events(source, parsed.events, inbound.received_at, handed or _BROUGHT) + _asked(parsed.commands),
        [_letter(source, f"{un.where}: {un.reason}", un.raw, inbound, kept) for un in parsed.unread],
        source.dedup_ms,
        found=handed is not None,
    )


def _new_events(source: Source, events: Sequence[Event], now: int, handed: Handed) -> list[NewEvent]:
    """A body's events may share one vendor's id: from the second on, the position tells them apart."""
    new = []
    for position, event in enumerate(events):
        once = f"{event.vendor_id}#{position}" if position and event.vendor_id else event.vendor_id
        signal = Signal(at=now, by=_BY, event=event, found=handed.how, completes=handed.of)
        entry = encode_entry(signal)
        new.append(NewEvent(_lane(source, event) if source.urgent_kinds else Lane.BULK, once, entry))
    return new


def _asked(commands: Sequence[AlertCommand]) -> list[NewEvent]:
    """An acknowledgement waits behind no storm; all else goes behind the event it is about."""
    return [
        NewEvent(Lane.CONTROL if each.verb is Verb.ACK else Lane.BULK, "", encode_entry(each))
        for each in commands
    ]


def _lane(source: Source, event: Event) -> Lane:
    attributes = event.attributes()
    return Lane.URGENT if any(each.matches(attributes) for each in source.urgent_kinds) else Lane.BULK


def _unreadable(gate: Gate, inbound: Inbound, why: str, trace: str = "") -> Request:
    kept = _headers(gate, inbound)
    raw = gate.scrubbed(inbound.body) if gate.scrubbed else inbound.body
    letter = _letter(gate.source, why, raw, inbound, kept, trace)
    return Request(gate.source.name, b"", b"{}", (), (letter,), gate.source.dedup_ms)


def _headers(gate: Gate, inbound: Inbound) -> dict[str, str]:
    """As they are kept."""
    kept = redacted(inbound.headers)
    if gate.placed:
        kept[":path"] = inbound.path
    return kept


def _packed_wrong(gate: Gate, inbound: Inbound, error: body.Undecodable) -> Request:
    """A token says who sent it, whatever the body is; a signature over what we cannot unpack says nothing."""
    try:
        gate.module.verify(inbound, gate.secrets, gate.source)
    except BadSignature as refused:
        raise refuse.undecodable(str(error)) from refused
    return _unreadable(gate, inbound, str(error))


def _letter(
    source: Source, why: str, raw: bytes, inbound: Inbound, kept: dict[str, str], trace: str = ""
) -> DeadLetter:
    return dead_letter.refused(source.name, why, raw, inbound.received_at, headers=kept, traceback=trace)
