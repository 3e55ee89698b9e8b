"""Instants: integers, milliseconds since the Unix epoch, UTC; and how they are written."""

from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY


def iso(at: int) -> str:
    """ISO 8601 in UTC with milliseconds: "2026-11-24T00:30:00.000Z"."""
    minutes, ms = divmod(at % DAY, MINUTE)
    hour, minute = divmod(minutes, 60)
    return f"{_day(at // DAY)}T{hour:02}:{minute:02}:{ms // SECOND:02}.{ms % SECOND:03}Z"


@lru_cache(maxsize=1024)
def _day(day: int) -> str:
    """Many instants of one day are written."""
    return datetime.fromtimestamp(day * DAY // SECOND, UTC).date().isoformat()


@lru_cache(maxsize=1024)
def parse_iso(text: str) -> int:
    """Read ISO 8601 with any offset; without one it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
