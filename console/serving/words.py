"""How pages say things: nothing from outside is markup, turns the reading direction, or is longer than a page."""

import json
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

from console.output import plain
from routing import instant
from routing.duration import span

LONGEST = 4_000
"""Of one text on a page; what is longer has a page of its own."""
LAID_OUT = 65_536


def inert(value: Any) -> Any:
    """What a template writes: text without control characters and marks that turn the reading direction."""
    if isinstance(value, Markup | bool | int | float):
        return value
    if value is None:
        return ""
    text = str(value)
    return plain(text[:LONGEST]) + ("…" if len(text) > LONGEST else "")


def long(value: str) -> Markup:
    """As `inert`, of a text that may be as long as it is."""
    return Markup(escape(plain(value)))  # noqa: S704  # escaped


def laid_out(value: Any) -> str:
    """What a step brought, as people read it: records as indented JSON, with every letter as it is."""
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return text[:LAID_OUT] + ("…" if len(text) > LAID_OUT else "")


def link(url: str) -> str:
    """The address where it may be followed: http and https alone; "" for all others."""
    cleaned = plain(url).strip()
    return cleaned if cleaned.lower().startswith(("https://", "http://")) else ""


def ms(at: str | int | None) -> int:
    """An instant as ms, of ISO 8601 or ms; 0 for never."""
    return instant.parse_iso(at) if isinstance(at, str) else at or 0


def iso(at: str | int | None) -> str:
    return instant.iso(ms(at))


def clock(at: str | int | None) -> str:
    """The time of day in UTC, as it is read until the browser says it in its own zone."""
    return datetime.fromtimestamp(ms(at) / 1000, UTC).strftime("%H:%M:%S UTC") if at else "never"


def day(at: str | int | None) -> str:
    return datetime.fromtimestamp(ms(at) / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC") if at else "never"


def ago(at: str | int | None, now: int) -> str:
    """Writes "3 min ago" or "in 2 h"; "never" for 0."""
    when = ms(at)
    if not when:
        return "never"
    return f"{span(now - when)} ago" if when <= now else f"in {span(when - now)}"


def left(at: str | int | None, now: int) -> str:
    """What a running clock shows before the browser runs it: "4:12", "1:20:03", "-0:30" once it is over."""
    seconds = round((ms(at) - now) / 1000)
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    hours, rest = divmod(seconds, 3600)
    minutes, second = divmod(rest, 60)
    if hours >= 48:  # noqa: PLR2004  # from there on nobody counts seconds
        return f"{sign}{hours // 24} d {hours % 24} h"
    return f"{sign}{hours}:{minutes:02}:{second:02}" if hours else f"{sign}{minutes}:{second:02}"


def size(number: int) -> str:
    """Writes "512 bytes", "3.4 KB", "1.0 MB"."""
    for unit, step in (("MB", 1_048_576), ("KB", 1_024)):
        if number >= step:
            return f"{number / step:.1f} {unit}"
    return f"{number} bytes"


def many(number: int, one: str, more: str = "") -> str:
    """Writes "1 alert", "3 alerts"."""
    return f"{number:,} {one if number == 1 else more or one + 's'}".replace(",", " ")
