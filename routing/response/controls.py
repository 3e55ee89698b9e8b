"""What operators set: silences, overrides of schedules, switches."""

from routing.decision import Table
from routing.draft import Draft
from routing.entry import OverrideSet, SilenceSet, SwitchSet
from routing.instant import DAY
from routing.noise import mutes, silences
from routing.response import handoffs
from routing.timer import Wake

ENDED_MS = 5 * DAY
"""So long it is still known of a silence that it was there; Alertmanager keeps its own as long."""


def silence(draft: Draft, entry: SilenceSet) -> None:
    """Set or change a silence. What it no longer covers is paged at once. Raises BadMatcher."""
    silences.compiled(entry.matchers)
    mutes.look_again(draft, entry.id)
    draft.put(Table.SILENCE, entry.id, entry)
    draft.wake(Wake.EXPIRE, f"silence:{entry.id}", max(entry.until_at, draft.now), what="end of a silence")


def end_silence(draft: Draft, key: str) -> None:
    """A silence is over: let go what only it held back. It is dropped once nobody asks for it any more."""
    known = draft.find(Table.SILENCE, key, SilenceSet)
    if known is None or known.until_at > draft.now:
        return
    mutes.look_again(draft, key)
    forget_at = known.until_at + ENDED_MS
    if forget_at > draft.now:
        draft.wake(Wake.EXPIRE, f"silence:{key}", forget_at, what="forget a silence that ended")
    else:
        draft.drop(Table.SILENCE, key)


def override(draft: Draft, entry: OverrideSet) -> None:
    handoffs.look_soon(draft, entry.schedule)
    if not entry.stands:
        draft.drop(Table.OVERRIDE, entry.id)
        return
    draft.put(Table.OVERRIDE, entry.id, entry)
    draft.wake(Wake.EXPIRE, f"override:{entry.id}", entry.over_at, what="end of an override")


def switch(draft: Draft, entry: SwitchSet) -> None:
    if entry.on:
        draft.put(Table.SWITCH, entry.name, entry)
    else:
        draft.drop(Table.SWITCH, entry.name)
