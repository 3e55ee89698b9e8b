"""Shifts as an iCalendar text (RFC 5545), for the calendars people keep."""

import re
from collections.abc import Iterable, Iterator

from routing.instant import iso
from routing.oncall.duty import OnCall

LONGEST_LINE = 75
"""Octets, without the line break: RFC 5545, section 3.1."""


_TITLE = re.compile(r"On call: (?P<schedule>[^()]+) \((?P<contact>[^()]+)\)")


def calendar(title: str, timezone: str, shifts: Iterable[tuple[str, str, OnCall]], stamp: int) -> str:
    """One event for each (schedule, contact, shift); `stamp` (ms) says when this was true.

    The same shift has the same UID for ever, so a calendar that reads this again shows no shift twice.
    """
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tocsin//oncall//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(title)}", f"X-WR-TIMEZONE:{timezone}",
    ]  # fmt: skip
    for schedule, contact, shift in shifts:
        lines += _event(schedule, contact, shift, stamp)
    return "".join(f"{folded}\r\n" for line in (*lines, "END:VCALENDAR") for folded in _folded(line))


def titled(title: str) -> tuple[str, str] | None:
    """Schedule and contact of an event that was written here; None when the title is not ours."""
    found = _TITLE.fullmatch(title)
    return (found["schedule"], found["contact"]) if found else None


def _event(schedule: str, contact: str, shift: OnCall, stamp: int) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{schedule}-{contact}-{shift.since_at}@oncall.tocsin",
        f"DTSTAMP:{_utc(stamp)}",
        f"DTSTART:{_utc(shift.since_at)}",
        f"DTEND:{_utc(shift.until_at)}",
        f"SUMMARY:{_text(f'On call: {schedule} ({contact})')}",
        f"DESCRIPTION:{_text(shift.reason)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _utc(at: int) -> str:
    return iso(at)[:19].replace("-", "").replace(":", "") + "Z"


def _text(value: str) -> str:
    """Escaped as RFC 5545, section 3.3.11 wants it."""
    for char in "\\;,":
        value = value.replace(char, f"\\{char}")
    return "\\n".join(value.splitlines())


def _folded(line: str) -> Iterator[str]:
    """Lines of at most 75 octets; those that go on begin with a blank, and no character is cut in two."""
    part, size = "", 0
    for char in line:
        octets = len(char.encode())
        if size + octets > LONGEST_LINE:
            yield part
            part, size = " ", 1
        part, size = part + char, size + octets
    yield part
