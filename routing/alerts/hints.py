"""Hints: events of which the vendor tells the rest only when it is asked.

Such an event is kept, and decided once the rest is there; where nobody can get it, on what it has, and for that reason.
"""

from routing import duration
from routing.alerts import signals, verdicts
from routing.decision import Table
from routing.draft import Draft
from routing.entry import Signal, Unretrieved
from routing.event import Event
from routing.instant import MINUTE
from routing.reason import Reason
from routing.record import Record
from routing.timer import Wake

HOLD_MS = 2 * MINUTE
"""So long it waits when nobody says anything: who retrieves gives up sooner, and says so."""


class Hint(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An event that waits for its rest; `at` when it came (ms)."""

    event: Event
    at: int


def signal(draft: Draft, entry: Signal) -> None:
    """Fold one event of a source. Of a replay the whole was, or is, replayed as well."""
    if entry.completes:
        _forget(draft, entry.completes)
    elif entry.event.partial and not entry.replay_of and _may_be_asked(draft, entry.event):
        _hold(draft, entry)
        return
    signals.signal(draft, entry)


def unretrieved(draft: Draft, entry: Unretrieved) -> None:
    """Nobody can get the rest: it is decided on what it has."""
    _decide(draft, entry.event, entry.why)


def due(draft: Draft, key: str) -> None:
    """Nobody has said anything for long."""
    _decide(draft, key, f"nobody has retrieved it within {duration.text(HOLD_MS)}")


def _may_be_asked(draft: Draft, event: Event) -> bool:
    source = draft.policy.sources.get(event.source)
    return source is not None and bool(source.poll)


def _hold(draft: Draft, entry: Signal) -> None:
    draft.put(Table.HINT, draft.entry, Hint(event=entry.event, at=entry.at))
    what = f"decide {entry.event.title} on what it has"
    draft.wake(Wake.EXPIRE, f"hint:{draft.entry}", draft.now + HOLD_MS, what=what)
    reason = Reason(text=f"{entry.event.vendor} tells the rest only when it is asked, which is being done")
    verdicts.put(draft, "held", reason=reason)


def _decide(draft: Draft, key: str, why: str) -> None:
    hint = draft.find(Table.HINT, key, Hint)
    if hint is None:
        return
    _forget(draft, key)
    draft.about = key
    signals.take(draft, hint.event, hint.at)
    reason = Reason(text=f"decided on what it has: the rest could not be retrieved: {why}")
    if draft.verdict is not None:
        verdicts.add(draft, reason)
        draft.note(draft.verdict.incident, f"{hint.event.title}: its rest is not known", reason)


def _forget(draft: Draft, key: str) -> None:
    draft.drop(Table.HINT, key)
    draft.unwake(Wake.EXPIRE, f"hint:{key}")
