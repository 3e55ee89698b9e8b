"""Hours of the week by a wall clock, like working hours: is an instant inside, and when does that change?

A span lasts from the instant its start is shown to the instant its end is (see `routing.calendar.wall`): an hour
that autumn doubles is inside both times when the span goes on after it, one that spring leaves out has no length.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from routing.calendar.wall import instant_of, local, minute_of
from routing.reason import Origin

FOREVER = 253_370_764_800_000
"""The beginning of the year 9999 (ms): when what never changes would change."""

_MOST_DAYS = 3700
"""Ten years: hours without a beginning or an end within them have none."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """On these weekdays (0 is Monday), from a minute of the day to another; beyond 1440 it is the next day's."""

    weekdays: frozenset[int]
    start_minute: int
    end_minute: int


@dataclass(frozen=True, slots=True)
class Hours:
    """`holidays` are local ISO dates on which no span begins."""

    name: str
    timezone: str
    spans: tuple[Span, ...]
    holidays: frozenset[str]
    origin: Origin


def contains(hours: Hours, at: int) -> bool:
    """Whether the instant (ms) is inside."""
    today = local(at, hours.timezone).date()
    return any(start <= at < end for day in _around(today) for start, end in _parts(hours, day))


def next_start(hours: Hours, at: int) -> int:
    """The first instant (ms) not before `at` that is inside; FOREVER when there is none in ten years."""
    day = local(at, hours.timezone).date() - _DAY
    for _ in range(_MOST_DAYS):
        # A day whose span is still under way may stand beside one that begins: the earlier instant counts.
        found = [max(start, at) for each in _around(day) for start, end in _parts(hours, each) if end > at]
        if found:
            return min(found)
        day += _DAY
    return FOREVER


def next_end(hours: Hours, at: int) -> int:
    """The first instant (ms) not before `at` that is outside; FOREVER when there is none in ten years."""
    day = local(at, hours.timezone).date()
    for _ in range(_MOST_DAYS):
        ends = [end for each in _around(day) for start, end in _parts(hours, each) if start <= at < end]
        if not ends:
            return at
        at = max(ends)
        day = local(at, hours.timezone).date()
    return FOREVER


def _around(day: date) -> tuple[date, date, date]:
    """The days whose spans can hold an instant of this one: clocks go back over midnight, too."""
    return day - _DAY, day, day + _DAY


@lru_cache(maxsize=16384)
def _parts(hours: Hours, day: date) -> tuple[tuple[int, int], ...]:
    """Beginning and end (ms) of what begins on a day."""
    if day.isoformat() in hours.holidays:
        return ()
    found = (
        (_instant(hours, day, span.start_minute), _instant(hours, day, span.end_minute))
        for span in hours.spans
        if day.weekday() in span.weekdays
    )
    return tuple((start, end) for start, end in found if start < end)


def _instant(hours: Hours, day: date, minute: int) -> int:
    return instant_of(minute_of(day, minute), hours.timezone)
