"""How reports write what is not a word: instants in a zone, targets, and texts that end in Markdown."""

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from routing.duration import span
from routing.instant import parse_iso

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!])")
UNWRITTEN = "To be written."


def moment(at: str | None, zone: str, form: str = "%a %d %b %Y %H:%M %Z") -> str:
    """An instant (ISO 8601) as a person in the zone reads it: "Tue 24 Nov 2026 03:30 CET"; "" for None."""
    if not at:
        return ""
    return datetime.fromtimestamp(parse_iso(at) / 1000, UTC).astimezone(ZoneInfo(zone)).strftime(form)


def clock(at: str | None, zone: str) -> str:
    """Only the time of day, to the second."""
    return moment(at, zone, "%H:%M:%S")


def verdict(target: dict[str, Any]) -> str:
    """Of a target: "kept", "missed", or "still running"."""
    return {True: "kept", False: "missed", None: "still running"}[target["kept"]]


def took(target: dict[str, Any]) -> str:
    """In words: "4 min of 15 min"."""
    done = span(target["took_ms"]) if target["took_ms"] is not None else "not yet"
    return f"{done} of {span(target['allowed_ms'])}"


def inert(text: object) -> str:
    """As Markdown shows it as it is, on one line: what a payload says is never markup."""
    return _MARKS.sub(r"\\\1", " ".join(str(text).split()))


def paragraphs(text: str) -> list[str]:
    """Inert, with its paragraphs kept."""
    return [inert(each) for each in re.split(r"\n\s*\n", text.strip()) if each.strip()]


def times(count: int) -> str:
    """In words: "once", "3 times"."""
    return "once" if count == 1 else f"{count} times"


def people(count: int) -> str:
    return counted(count, "person", "people")


def counted(count: int, one: str, several: str = "") -> str:
    """In words: "1 page", "3 pages"."""
    return f"{count} {one if count == 1 else several or one + 's'}"


def sentence(text: str) -> str:
    """With a full stop at its end, if it has none."""
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def percent(share: float | None) -> str:
    """In words: "92%"; "-" of nothing."""
    return "-" if share is None else f"{share:.0%}"


def span_or_none(ms: int | None) -> str:
    return "-" if ms is None else span(ms)
