"""What operators set: silences, overrides of schedules, switches."""

from routing.decision import Table
from routing.draft import Draft
from routing.entry import OverrideSet, SilenceSet, SwitchSet
from routing.noise import mutes, silences
from routing.response import handoffs
from routing.timer import Wake


def silence(draft: Draft, entry: SilenceSet) -> None:
    """Set or change a silence. What it no longer covers is paged at once. Raises BadMatcher."""
    silences.compiled(entry.matchers)
    mutes.look_again(draft, entry.id)
    draft.put(Table.SILENCE, entry.id, entry)
    draft.wake(Wake.EXPIRE, f"silence:{entry.id}", max(entry.until_at, draft.now), what="end of a silence")


def end_silence(draft: Draft, key: str) -> None:
    """A silence is over: drop it and let go what only it held back."""
    known = draft.find(Table.SILENCE, key, SilenceSet)
    if known is None or known.until_at > draft.now:
        return
    draft.drop(Table.SILENCE, key)
    mutes.look_again(draft, key)


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
