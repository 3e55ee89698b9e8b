"""Turns of a rotation: which one holds an instant, and from when to when.

Handoffs are wall-clock times: 09:00 stays 09:00 through daylight saving. A handoff in the gap of a spring change
happens at the instant the gap ends; one that occurs twice in autumn happens the first time. A turn that lies
within a gap has no length: nobody ever has it. A month's turn begins on the day of `start`, or on the month's
last day where that is earlier.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate

from routing.calendar.wall import instant_of, local
from routing.policy.schedules import Rotation, Unit

_STEPS = {Unit.HOURS: timedelta(hours=1), Unit.DAYS: timedelta(days=1)}
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Turn:
    """Number 0 begins at the rotation's start; earlier ones are negative. `until_at` is the next one's begin."""

    number: int
    since_at: int
    until_at: int


def turn_at(rotation: Rotation, timezone: str, at: int) -> Turn:
    """The turn that holds the instant (ms)."""
    number = _estimate(rotation, local(at, timezone))
    while handoff(rotation, timezone, number) > at:
        number -= 1
    while (until := handoff(rotation, timezone, number + 1)) <= at:
        number += 1
    return Turn(number, handoff(rotation, timezone, number), until)


def handoff(rotation: Rotation, timezone: str, number: int) -> int:
    """The instant (ms) at which a turn begins."""
    return instant_of(_wall(rotation, number), timezone)


def of_turn(rotation: Rotation, number: int) -> tuple[str, ...]:
    return rotation.turns[number % len(rotation.turns)]


def _estimate(rotation: Rotation, wall: datetime) -> int:
    """A turn near this wall-clock time, at most a round of lengths away."""
    start = _start(rotation)
    if rotation.unit is Unit.MONTHS:
        steps = _MONTHS * (wall.year - start.year) + wall.month - start.month
    else:
        steps = (wall - start) // _STEPS[rotation.unit]
    return steps // sum(rotation.every) * len(rotation.every)


def _wall(rotation: Rotation, number: int) -> datetime:
    rounds, rest = divmod(number, len(rotation.every))
    steps = rounds * sum(rotation.every) + _offsets(rotation.every)[rest]
    start = _start(rotation)
    if rotation.unit is Unit.MONTHS:
        return _months_later(start, steps)
    return start + steps * _STEPS[rotation.unit]


@lru_cache(maxsize=1024)
def _offsets(lengths: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(accumulate(lengths, initial=0))


def _start(rotation: Rotation) -> datetime:
    return datetime.fromisoformat(rotation.start)


def _months_later(start: datetime, months: int) -> datetime:
    years, month = divmod(start.month - 1 + months, _MONTHS)
    year, month = start.year + years, month + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))
