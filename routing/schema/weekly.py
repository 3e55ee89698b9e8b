"""How a span of the week is written: "mon-fri 09:00-17:00", "sat,sun 00:00-24:00", "fri 22:00-06:00"."""

import re
from typing import Annotated, Any

from pydantic import PlainValidator

from routing.calendar.hours import Span
from routing.schema.refusal import Refusal, shown, suggestion
from routing.schema.written import TIME_OF_DAY, like, shown_as

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK = len(DAYS)
_DAY_MINUTES = 24 * 60
_TIMES = re.compile(r"(?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)", re.ASCII)
_SPACED = re.compile(r" ?([-,]) ?")
_FIX = 'write days and times, like "mon-fri 09:00-17:00"; an end before the start is the next day\'s'


def parse(text: Any) -> Span:
    """Read one span; days singly, in ranges or both. Raises Refusal."""
    if not isinstance(text, str):
        raise Refusal(f"{shown(text)} is no span of the week", _FIX)
    days, _, times = " ".join(text.lower().split()).rpartition(" ")
    form = _TIMES.fullmatch(times)
    if form is None or not days:
        raise Refusal(f"{shown(text)} is no span of the week", _FIX)
    start, end = minute_of_day(form["start"]), minute_of_day(form["end"])
    if start in {_DAY_MINUTES, end}:
        raise Refusal(f"{shown(text)} has no length", 'write 00:00-24:00 for "all day"')
    weekdays = frozenset(day for part in _SPACED.sub(r"\1", days).split(",") for day in _days(part))
    return Span(weekdays, start, end if end > start else end + _DAY_MINUTES)


def _days(text: str) -> list[int]:
    first, _, last = text.partition("-")
    begin = _day(first)
    length = (_day(last or first) - begin) % _WEEK
    return [(begin + more) % _WEEK for more in range(length + 1)]


def _day(text: str) -> int:
    if text not in DAYS:
        raise Refusal(f"no day {shown(text)}", suggestion(text, DAYS))
    return DAYS.index(text)


def minute_of_day(text: str) -> int:
    """Minutes since midnight of "09:00"; "24:00" ends a day. Raises Refusal."""
    hour, minute = int(text[:2]), int(text[3:])
    at = 60 * hour + minute
    if minute > 59 or at > _DAY_MINUTES:  # noqa: PLR2004  # as a clock counts
        raise Refusal(f"{shown(text)} is no time of day", "write 00:00 to 24:00")
    return at


def _form() -> re.Pattern[str]:
    """What `parse` takes, days in whatever case."""
    day = "|".join("".join(f"[{letter.upper()}{letter}]" for letter in day) for day in DAYS)
    part = rf"(?:{day})(?:\s*-\s*(?:{day}))?"
    at = f"(?:{TIME_OF_DAY.pattern})"
    return re.compile(rf"\s*{part}(?:\s*,\s*{part})*\s+{at}-{at}\s*")


WeeklySpan = Annotated[
    Span,
    PlainValidator(parse),
    shown_as(like(_form(), "days and times", "mon-fri 09:00-17:00", "sat,sun 00:00-24:00")),
]
