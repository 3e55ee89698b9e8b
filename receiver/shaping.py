"""Events of whatever vendors say: nothing in them is endless, and what is empty is left out."""

from collections.abc import Mapping
from typing import Any

import msgspec

from receiver import strict_json
from routing.errors import Unreadable
from routing.event import Event

_MOST = 64
_LONGEST = 2048
_PLAIN = 500


def bounded(event: Event) -> Event:
    """The same, with nothing in it endless."""
    return msgspec.structs.replace(
        event,
        kind=event.kind[:200],
        key=event.key[:300],
        title=event.title[:200],
        summary=event.summary[:_LONGEST],
        vendor_id=event.vendor_id[:300],
        vendor_severity=event.vendor_severity[:80],
        link=event.link[:_LONGEST],
    )


def plain(holder: Mapping[str, Any], longest: int = _PLAIN) -> dict[str, str]:
    """Its plain members as texts, at most 64 of them."""
    found = ((name[:80], written(value)[:longest]) for name, value in holder.items())
    return dict([(name, value) for name, value in found if name and value][:_MOST])


def written(value: Any) -> str:
    """A text, number or truth as text; "" for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


def text(holder: Any, *path: str) -> str:
    """What is there in plain words, as text; "" where the path leads nowhere."""
    return written(at(holder, *path))[:_LONGEST]


def at(holder: Any, *path: str) -> Any:
    """What is there, or None."""
    for name in path:
        holder = holder.get(name) if isinstance(holder, dict) else None
    return holder


def inner(holder: Any, *path: str) -> dict[str, Any]:
    """The object that must be there. Raises Unreadable."""
    return strict_json.object_of(at(holder, *path), ".".join(path))


def needed(holder: Any, *path: str) -> str:
    """A text or number that must be there. Raises Unreadable."""
    found = text(holder, *path)
    if not found:
        raise Unreadable("expected a text or a number", ".".join(path))
    return found


def told(vendor: str, what: str, about: str = "") -> str:
    """A title: "GitHub check_suite failed: shop/site"."""
    return f"{vendor} {what}{about and f': {about}'}"
