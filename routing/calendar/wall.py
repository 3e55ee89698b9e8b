"""Wall-clock time and instants: which instant it is when a clock in a zone shows a time, and back.

A time in the gap of a spring change stands for the instant the gap ends; one that a clock shows twice in autumn
stands for the first of the two. So a later wall-clock time never stands for an earlier instant.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_TICK = timedelta(seconds=1)


def local(at: int, timezone: str) -> datetime:
    """What a clock in the zone shows at an instant (ms), without the zone."""
    return (EPOCH + at * _MS).astimezone(ZoneInfo(timezone)).replace(tzinfo=None)


def minute_of(day: date, minute: int) -> datetime:
    """The wall-clock time so many minutes after a date's beginning, as a clock that never changes counts them."""
    return datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001  # wall-clock


@lru_cache(maxsize=16384)
def instant_of(wall: datetime, timezone: str) -> int:
    """The instant (ms) a wall clock shows this: the first of two; if it never does, the gap's end."""
    zone = ZoneInfo(timezone)
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) != wall:
        first = _gap_end(wall, zone)
    return (first - EPOCH) // _MS


def _gap_end(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant the gap that swallows this wall-clock time ends; offsets change on whole seconds."""
    # In a gap fold=1 takes the offset from after it and so names an instant before it; fold=0 the reverse.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    while after - before > _TICK:
        middle = before + (after - before) // 2 // _TICK * _TICK
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after
