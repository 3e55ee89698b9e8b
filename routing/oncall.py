"""On call: who, at an instant, by a schedule's rotation and the overrides laid over it.

Handoffs are wall-clock times: 09:00 stays 09:00 through daylight saving. A handoff in the gap of a spring
change happens at the instant the gap ends; one that occurs twice in autumn happens the first time. The
rotation reaches endlessly into both directions, so exactly one contact is on call at every instant.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from routing.calendar.wall import instant_of, local
from routing.entry import OverrideSet
from routing.policy import Schedule


@dataclass(frozen=True, slots=True)
class OnCall:
    """A shift, or the part of one that was asked for; `until_at` (ms) is the first instant after it."""

    contact: str
    reason: str
    since_at: int
    until_at: int


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who has an instant, and by which turn of the rotation or which override."""

    contact: str
    turn: int
    override: str
    reason: str


def who(schedule: Schedule, overrides: Iterable[OverrideSet], at: int) -> OnCall:
    """The one on call at the instant, and the bounds of the shift they have it by."""
    active = _active(schedule, overrides)
    turn = _turn(schedule, at)
    covering = [each for each in active if each.from_at <= at < each.until_at]
    from_at = min([_handoff(schedule, turn), *(each.from_at for each in covering)])
    until_at = max([_handoff(schedule, turn + 1), *(each.until_at for each in covering)])
    found = _shifts(schedule, active, from_at, until_at)
    return next(shift for shift in found if shift.since_at <= at < shift.until_at)


def shifts(schedule: Schedule, overrides: Iterable[OverrideSet], from_at: int, until_at: int) -> list[OnCall]:
    """Every shift between two instants, in order, without hole or overlap, cut to that range."""
    return _shifts(schedule, _active(schedule, overrides), from_at, until_at)


def _shifts(schedule: Schedule, active: list[OverrideSet], from_at: int, until_at: int) -> list[OnCall]:
    found: list[tuple[_Holder, int]] = []
    for start in _bounds(schedule, active, from_at, until_at):
        holder = _holder(schedule, active, start)
        if not found or found[-1][0] != holder:
            found.append((holder, start))
    ends = [*(start for _, start in found[1:]), until_at][: len(found)]
    return [
        OnCall(holder.contact, holder.reason, start, end)
        for (holder, start), end in zip(found, ends, strict=True)
    ]


def _bounds(schedule: Schedule, active: list[OverrideSet], from_at: int, until_at: int) -> list[int]:
    """Every instant in the range at which somebody else may take over, its beginning included."""
    if from_at >= until_at:
        return []
    bounds = {from_at}
    turn = _turn(schedule, from_at) + 1
    while (handoff := _handoff(schedule, turn)) < until_at:
        bounds.add(handoff)
        turn += 1
    bounds.update(edge for each in active for edge in (each.from_at, each.until_at))
    return sorted(bound for bound in bounds if from_at <= bound < until_at)


def _holder(schedule: Schedule, active: list[OverrideSet], at: int) -> _Holder:
    for override in active:
        if override.from_at <= at < override.until_at:
            by = f", set by {override.by}" if override.by else ""
            text = f"{override.contact} is on call in {schedule.name} by override {override.id}{by}"
            return _Holder(override.contact, 0, override.id, text)
    turn = _turn(schedule, at)
    contacts = schedule.rotation.contacts
    contact = contacts[turn % len(contacts)]
    return _Holder(contact, turn, "", f"{contact} is on call in {schedule.name} by rotation")


def _active(schedule: Schedule, overrides: Iterable[OverrideSet]) -> list[OverrideSet]:
    """Those that count, the latest set first: it wins. Of one id only the latest counts."""
    latest: dict[str, OverrideSet] = {}
    for each in overrides:
        if each.schedule == schedule.name and (each.id not in latest or each.at >= latest[each.id].at):
            latest[each.id] = each
    active = [each for each in latest.values() if each.contact and each.from_at < each.until_at]
    return sorted(active, key=lambda each: (each.at, each.id), reverse=True)


def _turn(schedule: Schedule, at: int) -> int:
    """Which turn of the rotation holds the instant; the first is 0, earlier ones are negative."""
    wall = local(at, schedule.timezone)
    turn = (wall - _start(schedule)) // timedelta(days=schedule.rotation.every_days)
    while _handoff(schedule, turn) > at:
        turn -= 1
    while _handoff(schedule, turn + 1) <= at:
        turn += 1
    return turn


def _handoff(schedule: Schedule, turn: int) -> int:
    """The instant (ms) at which a turn begins."""
    wall = _start(schedule) + turn * timedelta(days=schedule.rotation.every_days)
    return instant_of(wall, schedule.timezone)


def _start(schedule: Schedule) -> datetime:
    return datetime.fromisoformat(schedule.rotation.start)
