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
_DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * _DAY_MINUTES


@dataclass(frozen=True, slots=True)
class Span:
    """On these weekdays (0 is Monday), from a minute of the day to another; beyond 1440 it is the next day's."""

    weekdays: frozenset[int]
    start_minute: int
    end_minute: int


@dataclass(frozen=True, slots=True)
class Hours:
    """`holidays` are local ISO dates on which no span begins, `dates` such as are inside from midnight to midnight."""

    name: str
    timezone: str
    spans: tuple[Span, ...]
    holidays: frozenset[str]
    origin: Origin
    dates: frozenset[str] = frozenset()


def contains(hours: Hours, at: int) -> bool:
    """Whether the instant (ms) is inside."""
    return around(hours, at)[0]


def around(hours: Hours, at: int) -> tuple[bool, int, int]:
    """Whether the instant (ms) is inside, since when, and until before when that is so.

    0 and FOREVER when it was or will be so for ten years.
    """
    if _is_always(hours):
        return True, 0, FOREVER
    day = local(at, hours.timezone).date()
    return next(each for each in _of_day(hours, day) if each[1] <= at < each[2])


@lru_cache(maxsize=16384)
def _of_day(hours: Hours, day: date) -> tuple[tuple[bool, int, int], ...]:
    """What holds a local day and those beside it, the first and last of them whole."""
    at, until = _instant(hours, day - _DAY, 0), _instant(hours, day + 2 * _DAY, 0)
    found = []
    while at < until:
        start = next_start(hours, at)
        if start > at:
            found.append((False, _last_end(hours, at), start))
        else:
            found.append((True, _first_start(hours, at), next_end(hours, at)))
        at = found[-1][2]
    return tuple(found)


def _last_end(hours: Hours, at: int) -> int:
    """The last instant before `at`, which is outside, at which something ended; 0 when there is none."""
    day = local(at, hours.timezone).date()
    for _ in range(_MOST_DAYS):
        if not hours.spans and day.isoformat() < min(hours.dates, default="9999"):
            break
        ends = [end for each in _around(day) for _, end in _parts(hours, each) if end <= at]
        if ends:
            # What began a day earlier still may have ended later.
            return max(ends + [end for _, end in _parts(hours, day - 2 * _DAY) if end <= at])
        day -= _DAY
    return 0


def _first_start(hours: Hours, at: int) -> int:
    """Since when it is inside at `at`; 0 when for ten years."""
    for _ in range(_MOST_DAYS):
        day = local(at, hours.timezone).date()
        starts = [start for each in _around(day) for start, end in _parts(hours, each) if start < at <= end]
        if not starts:
            return at
        at = min(starts)
    return 0


def next_start(hours: Hours, at: int) -> int:
    """The first instant (ms) not before `at` that is inside; FOREVER when there is none in ten years."""
    if _is_always(hours):
        return at
    day = local(at, hours.timezone).date() - _DAY
    for _ in range(_MOST_DAYS):
        if not hours.spans and day.isoformat() > max(hours.dates, default=""):
            break
        # A day whose span is still under way may stand beside one that begins: the earlier instant counts.
        found = [max(start, at) for each in _around(day) for start, end in _parts(hours, each) if end > at]
        if found:
            return min(found)
        day += _DAY
    return FOREVER


def next_end(hours: Hours, at: int) -> int:
    """The first instant (ms) not before `at` that is outside; FOREVER when there is none in ten years."""
    if _is_always(hours):
        return FOREVER
    day = local(at, hours.timezone).date()
    for _ in range(_MOST_DAYS):
        ends = [end for each in _around(day) for start, end in _parts(hours, each) if start <= at < end]
        if not ends:
            return at
        at = max(ends)
        day = local(at, hours.timezone).date()
    return FOREVER


@lru_cache(maxsize=1024)
def _is_always(hours: Hours) -> bool:
    """Whether no instant of the week is outside: then there is no edge to look for."""
    minutes = {
        (_DAY_MINUTES * day + minute) % _WEEK_MINUTES
        for span in hours.spans
        for day in span.weekdays
        for minute in range(span.start_minute, span.end_minute)
    }
    return not hours.holidays and len(minutes) == _WEEK_MINUTES


def _around(day: date) -> tuple[date, date, date]:
    """The days whose spans can hold an instant of this one: clocks go back over midnight, too."""
    return day - _DAY, day, day + _DAY


@lru_cache(maxsize=16384)
def _parts(hours: Hours, day: date) -> tuple[tuple[int, int], ...]:
    """Beginning and end (ms) of what begins on a day."""
    if day.isoformat() in hours.dates:
        return ((_instant(hours, day, 0), _instant(hours, day, _DAY_MINUTES)),)
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
