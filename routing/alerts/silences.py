"""Silences: a person mutes what matches, until an instant. A resolve or an ack always passes through."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from routing.decision import Table
from routing.draft import Draft
from routing.entry import SilenceSet
from routing.instant import iso
from routing.language import matchers
from routing.policy import Matcher
from routing.reason import Reason


@dataclass(frozen=True, slots=True)
class Hush:
    id: str
    until_at: int
    reason: Reason


def covering(draft: Draft, labels: Mapping[str, str]) -> Hush | None:
    """The active silence that mutes these labels longest, if any."""
    active = [
        silence
        for silence in draft.state.tables[Table.SILENCE].values()
        if isinstance(silence, SilenceSet)
        and silence.from_at <= draft.now < silence.until_at
        and all(matcher.matches(labels) for matcher in _compiled(tuple(silence.matchers)))
    ]
    if not active:
        return None
    longest = max(active, key=lambda silence: silence.until_at)
    text = f"silenced by {longest.by or 'somebody'} until {iso(longest.until_at)}: {longest.reason}"
    return Hush(longest.id, longest.until_at, Reason(text=text, rule=f"silence {longest.id}"))


@lru_cache(maxsize=1024)
def _compiled(texts: tuple[str, ...]) -> tuple[Matcher, ...]:
    return tuple(matchers.parse(text) for text in texts)
