"""Instants as vendors write them."""

from typing import Any

from routing.errors import Unreadable
from routing.instant import parse_iso

_LONGEST = 64


def rfc3339(holder: dict[str, Any], name: str, where: str = "") -> int:
    """Milliseconds since the epoch, or 0 when absent or Go's zero time (year 1). Raises Unreadable."""
    found = holder.get(name)
    if found is None or found == "":
        return 0
    place = f"{where}.{name}" if where else name
    if not isinstance(found, str) or len(found) > _LONGEST:
        raise Unreadable("expected an instant as RFC 3339 writes it", place)
    if found.startswith("0001-"):
        return 0
    try:
        return max(0, parse_iso(found))
    except (ValueError, OverflowError) as error:
        raise Unreadable("not an instant as RFC 3339 writes it (2026-11-24T02:30:00Z)", place) from error
