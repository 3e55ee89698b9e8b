"""One event of a calendar, before what repeats is laid out: the packages guess where a shift must not be guessed."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from routing.oncall.importing.appointments import CalendarError

_TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE")
_TOO_OFTEN = frozenset({"SECONDLY", "MINUTELY"})
_MOST_AN_HOUR = 4


def vet(event: Any, line: int) -> None:
    """Raises CalendarError naming the line, and the event by its title."""
    fault = next(_faults(event), "")
    if fault:
        title = " ".join(str(event.get("SUMMARY", "")).split())
        raise CalendarError(f"line {line}: the event {title!r}: {fault}")


def _faults(event: Any) -> Iterator[str]:
    for name, reason in event.errors:
        yield f"its {name or 'text'} cannot be read: {' '.join(str(reason).split())[:100]}"
    if "DTSTART" not in event:
        yield "it has no DTSTART"
    for name in _TIMES:
        yield from _unreadable(event, name)
    yield from _backwards(event)
    for rule in _several(event.get("RRULE")):
        yield from _endless(rule)


def _unreadable(event: Any, name: str) -> Iterator[str]:
    """A time that is none, or of a zone nobody defines: that one would be taken for a time of no zone."""
    for value in _several(event.get(name)):
        try:
            times = [each.dt for each in value.dts] if hasattr(value, "dts") else [value.dt]
        except (AttributeError, ValueError):
            yield f"its {name} is no time"
            return
        zone = value.params.get("TZID")
        if zone and any(isinstance(each, datetime) and each.tzinfo is None for each in times):
            yield f"its {name} is in the time zone {str(zone)!r}, which is neither defined in the file nor known"


def _backwards(event: Any) -> Iterator[str]:
    if "DTEND" in event and not _in_order(event["DTSTART"].dt, event["DTEND"].dt):
        yield "it ends before it begins"


def _in_order(start: date, end: date) -> bool:
    if isinstance(start, datetime) and isinstance(end, datetime):
        known = (start.tzinfo is None) == (end.tzinfo is None)
        return start <= end if known else start.replace(tzinfo=None) <= end.replace(tzinfo=None)
    return date(start.year, start.month, start.day) <= date(end.year, end.month, end.day)


def _endless(rule: Any) -> Iterator[str]:
    """What begins every second is no shift, and laying it out would take for ever."""
    frequency = " ".join(map(str, rule.get("FREQ", []))).upper()
    if not frequency:
        yield "its RRULE has no FREQ"
    times = len(rule.get("BYMINUTE", [0])) * len(rule.get("BYSECOND", [0]))
    if frequency in _TOO_OFTEN or times > _MOST_AN_HOUR:
        yield f"it repeats more than {_MOST_AN_HOUR} times an hour, which no shift does"


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
