"""Silences: a person mutes what matches, until an instant. A resolve or an ack always passes through."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from routing.draft import Draft
from routing.entry import SilenceSet
from routing.instant import iso
from routing.language import matchers
from routing.language.index import Index
from routing.noise.mute import Mute
from routing.reason import Reason


def index(silences: Iterable[SilenceSet]) -> Index[SilenceSet]:
    """Raises BadMatcher when one of them cannot be read; the fold lets none in that cannot."""
    return Index((compiled(each.matchers), each) for each in silences)


def compiled(texts: Sequence[str]) -> tuple[matchers.Matcher, ...]:
    """Raises BadMatcher."""
    return tuple(matchers.parse(text) for text in texts)


def ended(known: SilenceSet, at: int, by: str, client: str = "") -> SilenceSet:
    """The entry that ends it at this instant (ms), also where it has not begun."""
    begun = min(known.from_at, at)
    return msgspec.structs.replace(known, at=at, by=by, client=client, from_at=begun, until_at=at)


def covering(draft: Draft, labels: Mapping[str, str]) -> Mute | None:
    """The active silence that mutes these labels longest, if any."""
    active = [
        silence
        for silence in draft.state.silences.matching(labels)
        if silence.from_at <= draft.now < silence.until_at
    ]
    if not active:
        return None
    longest = max(active, key=lambda silence: (silence.until_at, silence.id))
    text = f"silenced by {longest.by or 'somebody'} until {iso(longest.until_at)}: {longest.reason}"
    return Mute(longest.id, longest.until_at, Reason(text=text, rule=f"silence {longest.id}"))
