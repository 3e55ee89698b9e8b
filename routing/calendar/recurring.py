"""Recurring times: an hour of every day, week, month or quarter by a wall clock, and the next instant it comes.

What a spring change leaves out comes when the gap ends, what autumn doubles at the first of the two
(see `routing.calendar.wall`): once a period, whatever the clocks do.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from routing.calendar.wall import instant_of, local, minute_of

_DAY = timedelta(days=1)
_QUARTERS = frozenset({1, 4, 7, 10})


class Every(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """`day`: of a week 0 is Monday; of a month, or a quarter's first, 1 to 31, the last where it is shorter."""

    every: Every
    day: int
    minute: int
    """Of the day."""
    timezone: str


def next_after(rule: Recurrence, at: int) -> int:
    """The first instant (ms) after `at` that it comes."""
    day = local(at, rule.timezone).date() - _DAY
    while not _is_on(rule, day) or instant_of(minute_of(day, rule.minute), rule.timezone) <= at:
        day += _DAY
    return instant_of(minute_of(day, rule.minute), rule.timezone)


def _is_on(rule: Recurrence, day: date) -> bool:
    if rule.every is Every.DAY:
        return True
    if rule.every is Every.WEEK:
        return day.weekday() == rule.day
    last = monthrange(day.year, day.month)[1]
    in_time = rule.every is Every.MONTH or day.month in _QUARTERS
    return in_time and day.day == min(rule.day, last)
