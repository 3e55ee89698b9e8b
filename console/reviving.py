"""Bring a dead letter through: read again, decided again, delivered again, run again."""

from itertools import count

from console.context import Context
from ledger import catalogue, dead, log
from ledger.clock import now_ms
from ledger.dead import DeadLetter, Kind
from ledger.position import lane_of
from ledger.views import entries
from routing.entry import AnyEntry, Lane, Revived, Signal, decode_entry
from routing.errors import TocsinError, Unreadable
from routing.event import Event
from routing.policy import Source
from routing.ports import Inbound, Parsed

MENDABLE = frozenset({Kind.REFUSED, Kind.UNDECIDABLE})
"""Kinds whose body is read again; the others only name the work to do again."""


def revive(context: Context, letter: DeadLetter, by: str) -> list[str]:
    """Retry it and mark it so. Returns the ids of what entered the log. Raises TocsinError when it cannot.

    Twice the same retry of a refused body is one; a body that was changed in between is a new one.
    """
    if letter.kind is Kind.REFUSED:
        found = parsed(context, letter)
        ids = [_replay(context, letter, event, by) for event in found.events]
        ids += [log.append(context.client, context.keys, Lane.BULK, each) for each in found.commands]
    elif letter.kind is Kind.UNDECIDABLE:
        lane = lane_of(letter.subject) or Lane.CONTROL
        ids = [log.append(context.client, context.keys, lane, entry_of(letter))]
    else:
        _still_live(context, letter)
        entry = Revived(at=now_ms(), by=by, dead=letter.id, subject=letter.subject)
        ids = [log.append(context.client, context.keys, Lane.CONTROL, entry)]
    dead.mark_retried(context.client, context.keys, letter.id, by, now_ms())
    return ids


def _still_live(context: Context, letter: DeadLetter) -> None:
    """Raises TocsinError when the incident of the work is over for good: nothing would be done for it."""
    if letter.incident and not context.store.is_live(letter.incident):
        raise TocsinError(
            f"{letter.incident} is in the archive, and what {letter.subject} was for is over; "
            f"give it up with: tocsin dead drop {letter.id}"
        )


def check(context: Context, letter: DeadLetter) -> str:
    """What its body reads as now. Raises TocsinError saying why, and where, it still cannot be read."""
    if letter.kind is Kind.REFUSED:
        found = parsed(context, letter)
        said = [*(event.kind for event in found.events), *(each.verb.value for each in found.commands)]
        return ", ".join(said) or "no event at all"
    return type(entry_of(letter)).__name__.lower()


def parsed(context: Context, letter: DeadLetter) -> Parsed:
    """What is in a refused body as it is now. Raises TocsinError saying why it still cannot be read."""
    source = _source(context, letter)
    path = letter.headers.get(":path", "")
    inbound = Inbound(body=letter.raw, headers=letter.headers, query={}, received_at=now_ms(), path=path)
    found = catalogue.source(source.vendor).parse(inbound, source)
    if found.unread:
        raise Unreadable(found.unread[0].reason, found.unread[0].where)
    return found


def entry_of(letter: DeadLetter) -> AnyEntry:
    """The entry in an undecidable letter. Raises Unreadable."""
    try:
        return decode_entry(letter.raw)
    except ValueError as error:
        raise Unreadable(str(error)) from error


def _source(context: Context, letter: DeadLetter) -> Source:
    source = context.policy.sources.get(letter.source)
    if source is None:
        raise TocsinError(f"source {letter.source!r} is no longer configured; add it to sources.yaml")
    return source


def _replay(context: Context, letter: DeadLetter, event: Event, by: str) -> str:
    """Append it under the first free `<letter>.r<n>`, unless one of those before is the very same event."""
    source = _source(context, letter)
    urgent = any(matcher.matches(event.attributes()) for matcher in source.urgent_kinds)
    entry = Signal(at=now_ms(), by=by, event=event, replay_of=letter.id)
    replay_id = free_id(context, letter.id, event)
    log.append_replay(context.client, context.keys, Lane.URGENT if urgent else Lane.BULK, entry, replay_id)
    return replay_id


def free_id(context: Context, of: str, event: Event | None = None) -> str:
    """The first `<of>.r<n>` that nothing has, or that `event` has already."""
    for number in count(1):
        known = entries.find(context.store, f"{of}.r{number}")
        if known is None or (isinstance(known.entry, Signal) and known.entry.event == event):
            break
    return f"{of}.r{number}"
