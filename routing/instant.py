"""Instants: integers, milliseconds since the Unix epoch, UTC; and how they are written."""

from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def iso(at: int) -> str:
    """ISO 8601 in UTC with milliseconds: "2026-11-24T00:30:00.000Z"."""
    return f"{_second(at // SECOND)}.{at % SECOND:03}Z"


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).replace(tzinfo=None).isoformat()


def parse_iso(text: str) -> int:
    """Read ISO 8601 with any offset; without one it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
