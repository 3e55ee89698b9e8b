"""What becomes of a body that a source sends: read and classified as it would be, with nothing sent or kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger import catalogue
from ledger.clock import now_ms
from routing.alerts.classify import Classified, classify
from routing.entry import AlertCommand
from routing.errors import Unreadable
from routing.event import Event
from routing.policy import Policy, Source
from routing.ports import Inbound, Parsed, Unread


@dataclass(frozen=True, slots=True)
class Reading:
    """Each event with how it is classified, and what could not be read."""

    events: Sequence[tuple[Event, Classified]]
    unread: Sequence[Unread]
    commands: Sequence[AlertCommand] = ()


def read(policy: Policy, source: Source, body: bytes, headers: dict[str, str]) -> Reading:
    """`headers` with names in lower case; the signature is not asked for."""
    now = now_ms()
    try:
        parsed = catalogue.source(source.vendor).parse(Inbound(body, headers, {}, now), source)
    except Unreadable as error:
        parsed = Parsed((), (Unread(error.reason, error.where, body),))
    events = [(event, classify(policy, event, now)) for event in parsed.events]
    return Reading(events, parsed.unread, parsed.commands)


def as_rows(reading: Reading) -> dict[str, Any]:
    events = [
        {
            "kind": event.kind,
            "status": event.status.value,
            "key": event.key,
            "title": event.title,
            "id": event.vendor_id,
            "vendor_severity": event.vendor_severity,
            "severity": str(classified.severity),
            "handling": classified.handling,
            "team": classified.team,
            "service": classified.service,
            "labels": event.labels,
            "reasons": [str(reason) for reason in classified.reasons],
        }
        for event, classified in reading.events
    ]
    unread = [{"reason": each.reason, "where": each.where} for each in reading.unread]
    commands = [
        {"verb": each.verb.value, "alert": each.alert or each.incident, "by": each.by}
        for each in reading.commands
    ]
    return {"events": events, "commands": commands, "unread": unread}
