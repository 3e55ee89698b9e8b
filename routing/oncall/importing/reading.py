"""Read a calendar and lay out what repeats, with the packages of the extra `ical`, which are imported when used.

Sources: RFC 5545 sections 3.3.5 (times), 3.3.10 (rules), 3.8.5.3 (what repeats). An end that repeats keeps to the
wall clock, as calendar programs show it: a week from Monday 9:00 until Monday 9:00 ends at 9:00 in every week.
"""

import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from routing.calendar.wall import EPOCH, instant_of, local
from routing.instant import DAY
from routing.oncall.importing.appointments import Appointment, CalendarError, NotInstalled
from routing.oncall.importing.structure import event_lines
from routing.oncall.importing.vetting import vet

MOST_OCTETS = 5_000_000
MOST_SHIFTS = 1_000
"""Within the time that is asked for. Who is on call is looked for among them whenever somebody is paged."""

_LINE = "X-TOCSIN-LINE"
_ZONE = "X-WR-TIMEZONE"
_MS = timedelta(milliseconds=1)


def read(data: bytes, timezone: str, from_at: int, until_at: int) -> list[Appointment]:
    """Every appointment that touches the time between two instants (ms), the earliest first.

    Whole days and times of no zone are the zone's. What is cancelled, or has no length, is left out.
    Raises CalendarError.
    """
    text = _decoded(data)
    lines = event_lines(text)
    try:
        found = list(_appointments(text, lines, timezone, (from_at, until_at)))
    except CalendarError:
        raise
    except Exception as error:  # the parser raises what it comes upon: KeyError, TypeError, ...
        raise CalendarError(f"it cannot be read: {_first_line(error)}") from error
    return sorted(found, key=lambda each: (each.from_at, each.until_at, each.uid, each.title))


def _decoded(data: bytes) -> str:
    if len(data) > MOST_OCTETS:
        raise CalendarError(f"it has more than {MOST_OCTETS} octets; use a smaller calendar")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CalendarError(f"line {line}: it is not UTF-8; save it as UTF-8") from error
    if not text.strip():
        raise CalendarError("it is empty")
    return text


def _appointments(text: str, lines: list[int], timezone: str, span: tuple[int, int]) -> Iterator[Appointment]:
    found = 0
    for occurrence in chain.from_iterable(
        _occurrences(each, timezone, span) for each in _parsed(text, lines)
    ):
        appointment = _appointment(occurrence, timezone)
        if _is_cancelled(occurrence) or not _touches(appointment, span):
            continue
        found += 1
        if found > MOST_SHIFTS:
            raise CalendarError(f"more than {MOST_SHIFTS} shifts in the time asked for; ask for less (--for)")
        yield appointment


def _parsed(text: str, lines: list[int]) -> list[Any]:
    """The calendars of the text, checked, each event marked with its line."""
    icalendar, tzp = _library("icalendar"), _library("icalendar.timezone").tzp
    tzp.use_default()  # it remembers zones that another text defined by the same name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of names of zones it had to interpret
        calendars: list[Any] = icalendar.Calendar.from_ical(text, multiple=True)
    events = list(chain.from_iterable(each.walk("VEVENT") for each in calendars))
    for event, line in zip(events, lines, strict=True):
        vet(event, line)
        event[_LINE] = str(line)
    return list(chain.from_iterable(map(_parted, calendars)))


def _parted(calendar: Any) -> list[Any]:
    """What does not repeat stands apart, where a calendar names its zone.

    The library has what repeats in UTC repeat by that zone's clock, and turns all times into that zone's; then a shift
    that begins or ends in an hour shown twice is lost. What does not repeat needs no clock.
    """
    if _ZONE not in calendar:
        return [calendar]
    single = type(calendar)(calendar)
    del single[_ZONE]
    events = calendar.walk("VEVENT")
    others = [each for each in calendar.subcomponents if each not in events]
    single.subcomponents = [*others, *(each for each in events if not _repeats(each))]
    calendar.subcomponents = [*others, *(each for each in events if _repeats(each))]
    return [single, calendar]


def _repeats(event: Any) -> bool:
    return any(name in event for name in ("RRULE", "RDATE", "RECURRENCE-ID"))


def _occurrences(calendar: Any, timezone: str, span: tuple[int, int]) -> Iterator[Any]:
    """What may touch the span, and a little more: times are compared as instants later."""
    first, last = (
        local(at, timezone).replace(tzinfo=ZoneInfo(timezone))
        for at in (span[0] - 2 * DAY, span[1] + 2 * DAY)
    )
    for series in _library("recurring_ical_events").of(calendar).series:
        for occurrence in series.between(first, last):
            yield occurrence.as_component(False)


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise NotInstalled from error


def _appointment(event: Any, timezone: str) -> Appointment:
    attendees = event.get("ATTENDEE", [])
    attendees = attendees if isinstance(attendees, list) else [attendees]
    return Appointment(
        uid=str(event.get("UID", "")),
        line=int(event[_LINE]),
        title=" ".join(str(event.get("SUMMARY", "")).split()),
        from_at=_instant(event["DTSTART"].dt, timezone),
        until_at=_instant(event["DTEND"].dt, timezone),
        invited=tuple(_mail(each) for each in attendees if not _declined(each) and not _looks_on(each)),
        declined=tuple(_mail(each) for each in attendees if _declined(each)),
        organizer=_mail(event.get("ORGANIZER", "")),
    )


def _instant(value: date | datetime, timezone: str) -> int:
    """A time in a gap of the clocks counts from the offset before it, one shown twice is the first (RFC 5545)."""
    if not isinstance(value, datetime):
        return instant_of(datetime(value.year, value.month, value.day), timezone)  # noqa: DTZ001  # wall-clock
    aware = value if value.tzinfo else value.replace(tzinfo=ZoneInfo(timezone))
    return (aware.astimezone(UTC) - EPOCH) // _MS


def _mail(address: Any) -> str:
    return str(address).strip().lower().removeprefix("mailto:")


def _declined(attendee: Any) -> bool:
    return str(attendee.params.get("PARTSTAT", "")).upper() == "DECLINED"


def _looks_on(attendee: Any) -> bool:
    return str(attendee.params.get("ROLE", "")).upper() == "NON-PARTICIPANT"


def _is_cancelled(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _touches(each: Appointment, span: tuple[int, int]) -> bool:
    return each.from_at < each.until_at and each.until_at > span[0] and each.from_at < span[1]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200] or type(error).__name__
