"""Bring a dead letter through: read again, decided again, delivered again, run again."""

from console.context import Context
from ledger import catalogue, dead, log
from ledger.clock import now_ms
from ledger.dead import DeadLetter, Kind
from routing.entry import Lane, Revived, Signal, decode_entry
from routing.errors import TocsinError, Unreadable
from routing.event import Event
from routing.ports import Inbound


def revive(context: Context, letter: DeadLetter, by: str) -> list[str]:
    """Retry it and mark it so. Returns the ids of what entered the log. Raises TocsinError when it cannot.

    Twice the same retry of a refused body is one: its events enter under `<letter>.r<n>`.
    """
    if letter.kind is Kind.REFUSED:
        ids = _read_again(context, letter, by)
    elif letter.kind is Kind.UNDECIDABLE:
        ids = [log.append(context.client, context.keys, Lane.CONTROL, decode_entry(letter.raw))]
    else:
        entry = Revived(at=now_ms(), by=by, dead=letter.id, subject=letter.subject)
        ids = [log.append(context.client, context.keys, Lane.CONTROL, entry)]
    dead.mark_retried(context.client, context.keys, letter.id, by, now_ms())
    return ids


def parsed(context: Context, letter: DeadLetter) -> list[Event]:
    """The events in a refused body as it is now. Raises TocsinError saying why it still cannot be read."""
    source = context.policy.sources.get(letter.source)
    if source is None:
        raise TocsinError(f"source {letter.source!r} is no longer configured; add it to sources.yaml")
    inbound = Inbound(body=letter.raw, headers=letter.headers, query={}, received_at=now_ms())
    found = catalogue.source(source.vendor).parse(inbound, source)
    if found.unread:
        first = found.unread[0]
        raise Unreadable(first.reason, first.where)
    return list(found.events)


def _read_again(context: Context, letter: DeadLetter, by: str) -> list[str]:
    now = now_ms()
    ids = []
    for number, event in enumerate(parsed(context, letter), start=1):
        replay_id = f"{letter.id}.r{number}"
        entry = Signal(at=now, by=by, event=event, replay_of=letter.id)
        log.append_replay(context.client, context.keys, Lane.URGENT, entry, replay_id)
        ids.append(replay_id)
    return ids
