"""Who is on call, and their shifts: layers with overrides laid over them."""

from dataclasses import dataclass

from routing.calendar.hours import FOREVER
from routing.oncall.imported import lay_imported
from routing.oncall.layers import Moving, Stretch, stretch
from routing.oncall.overrides import covers, in_force, lay
from routing.oncall.standing import Standing
from routing.policy.schedules import Schedule


@dataclass(frozen=True, slots=True)
class OnCall:
    """A shift, or the part of one that was asked for; `until_at` (ms) is the first instant after it."""

    contacts: tuple[str, ...]
    """Nobody, one or several; each is to be paged."""
    reason: str
    since_at: int
    until_at: int
    shadows: tuple[str, ...] = ()
    """They are told, and never awaited."""

    @property
    def contact(self) -> str:
        """The first of them; "" when nobody is on call."""
        return self.contacts[0] if self.contacts else ""


def who(schedule: Schedule, standing: Standing, at: int) -> OnCall:
    """Those on call at the instant (ms), and the bounds of the shift they have it by."""
    timeline = _Timeline(schedule, standing)
    found = timeline.at(at)
    since, until = found.since_at, found.until_at
    while since > 0 and (before := timeline.at(since - 1)).key == found.key:
        since = before.since_at
    while until < FOREVER and (after := timeline.at(until)).key == found.key:
        until = after.until_at
    return timeline.told(found, since, until)


def shifts(schedule: Schedule, standing: Standing, from_at: int, until_at: int) -> list[OnCall]:
    """Every shift between two instants (ms) in order, cut to that range; also those that nobody has."""
    timeline = _Timeline(schedule, standing)
    found: list[tuple[Stretch, int, int]] = []
    at = from_at
    while at < until_at:
        here = timeline.at(at)
        until = min(here.until_at, until_at)
        if found and found[-1][0].key == here.key:
            found[-1] = (found[-1][0], found[-1][1], until)
        else:
            found.append((here, at, until))
        at = until
    return [timeline.told(here, since, until) for here, since, until in found]


class _Timeline:
    """One schedule with all that stands over it, asked about any instant."""

    def __init__(self, schedule: Schedule, standing: Standing) -> None:
        self._schedule = schedule
        self._moving = Moving(standing.last)
        self._standing = in_force(schedule.name, standing.overrides)
        self._covers = covers(self._standing)

    def at(self, at: int) -> Stretch:
        base = stretch(self._schedule, self._moving, at)
        if self._standing:
            base = lay_imported(base, self._standing, at)
        return lay(base, self._covers, at) if self._covers else base

    def told(self, found: Stretch, since: int, until: int) -> OnCall:
        return OnCall(tuple(found.people), self._reason(found), since, until, tuple(found.shadows))

    def _reason(self, found: Stretch) -> str:
        name = self._schedule.name
        if not found.people:
            return f"nobody is on call in {name}"
        return "; ".join(f"{contact} is on call in {name} {how}" for contact, how in found.people.items())
