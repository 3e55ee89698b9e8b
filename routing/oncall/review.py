"""What is hardly meant about who is on call: nobody at all, or one person in two schedules at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from routing.calendar.hours import FOREVER
from routing.calendar.wall import instant_of
from routing.instant import DAY
from routing.oncall.duty import OnCall, shifts
from routing.oncall.standing import Standing
from routing.policy.schedules import Layer, Mode, Rotation, Schedule

LOOKED_THROUGH = 400 * DAY
"""After the last time a schedule's configuration names so much is looked through: a year, and its edges."""

_SOME_YEAR = 1_767_225_600_000
"""2026: hours repeat each week, so any year shows what they leave out."""


def gaps(schedule: Schedule, standing: Standing, from_at: int, until_at: int) -> list[OnCall]:
    """When, between two instants (ms), nobody is on call."""
    return [shift for shift in shifts(schedule, standing, from_at, until_at) if not shift.contacts]


def own_gaps(schedule: Schedule) -> list[OnCall]:
    """The gaps its configuration alone leaves, from when it begins until a year after its last date."""
    if any(_always(layer) for layer in schedule.layers):
        return []
    return gaps(schedule, Standing(), *span(schedule))


def span(schedule: Schedule) -> tuple[int, int]:
    """From when until when (ms) the schedule's configuration is looked through."""
    begins = [_begin(layer) for layer in schedule.layers]
    ends = [layer.until_at for layer in schedule.layers if layer.until_at < FOREVER]
    return min(begins), max(begins + ends) + LOOKED_THROUGH


def _always(layer: Layer) -> bool:
    bounded = layer.during is not None or layer.from_at > 0 or layer.until_at < FOREVER
    return layer.mode is not Mode.SHADOW and not bounded


def _begin(layer: Layer) -> int:
    if layer.from_at:
        return layer.from_at
    if isinstance(layer.people, Rotation):
        return instant_of(datetime.fromisoformat(layer.people.start), layer.timezone)
    return _SOME_YEAR


@dataclass(frozen=True, slots=True)
class Clash:
    """`contact` is on call in both schedules from `from_at` until before `until_at` (ms)."""

    contact: str
    schedules: tuple[str, str]
    from_at: int
    until_at: int


def clashes(duties: Iterable[tuple[Schedule, Standing]], from_at: int, until_at: int) -> list[Clash]:
    """Double bookings between two instants (ms), the earliest first: who cannot answer for both at once."""
    timelines = [(each.name, shifts(each, standing, from_at, until_at)) for each, standing in duties]
    found = [clash for one, two in combinations(timelines, 2) for clash in _joined(_between(one, two))]
    return sorted(found, key=lambda each: (each.from_at, each.schedules, each.contact))


def _between(one: tuple[str, list[OnCall]], two: tuple[str, list[OnCall]]) -> Iterator[Clash]:
    """Both timelines are without a hole, so the one that ends first is the one to go on with."""
    (first, ours), (second, theirs) = one, two
    here = there = 0
    while here < len(ours) and there < len(theirs):
        mine, yours = ours[here], theirs[there]
        until = min(mine.until_at, yours.until_at)
        for contact in sorted(set(mine.contacts) & set(yours.contacts)):
            yield Clash(contact, (first, second), max(mine.since_at, yours.since_at), until)
        here += mine.until_at == until
        there += yours.until_at == until


def _joined(found: Iterable[Clash]) -> Iterator[Clash]:
    """One clash where the same goes on over a handoff."""
    running: dict[str, Clash] = {}
    for each in found:
        before = running.get(each.contact)
        if before is not None and before.until_at == each.from_at:
            each = Clash(each.contact, each.schedules, before.from_at, each.until_at)  # noqa: PLW2901
        elif before is not None:
            yield before
        running[each.contact] = each
    yield from running.values()
