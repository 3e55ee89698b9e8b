"""Shifts of an imported calendar over what the layers say, beneath every override a person sets.

An import is renewed whenever its calendar changes. On top it would undo, by that, what somebody took over since.
"""

from routing.calendar.hours import FOREVER
from routing.entry import OverrideKind, OverrideSet
from routing.oncall.layers import Stretch
from routing.oncall.overrides import held


def lay_imported(base: Stretch, standing: list[OverrideSet], at: int) -> Stretch:
    """Lay the imports among them over a stretch that holds the instant (ms); what comes out holds it, too."""
    for each in standing:
        if each.kind is OverrideKind.IMPORT:
            base = _laid(base, each, at)
    return base


def _laid(base: Stretch, override: OverrideSet, at: int) -> Stretch:
    people, key, since, until = held(override, at)
    between = since > 0 and until < FOREVER
    if people or (override.exclusive and between):
        return Stretch(people, {}, key, since, until)
    return Stretch(base.people, base.shadows, base.key, max(base.since_at, since), min(base.until_at, until))
