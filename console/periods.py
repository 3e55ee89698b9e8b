"""A while as the command line has it: "week" and "month" until now, a month of the calendar, or two dates."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import click

from routing.calendar.wall import instant_of
from routing.instant import DAY


@dataclass(frozen=True, slots=True)
class Period:
    """As it was written. Called with now (ms) and a zone it gives the first instant (ms) and the one after the last."""

    text: str
    bounds: Callable[[int, str], tuple[int, int]]

    def __call__(self, now: int, zone: str) -> tuple[int, int]:
        return self.bounds(now, zone)


_BACK = {"week": 7, "month": 30}
_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)


class PeriodType(click.ParamType[Period]):
    name = "period"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Period:
        try:
            return read(str(value))
        except ValueError:
            fix = "write week, month, 2026-11 or 2026-11-01..2026-11-30"
            self.fail(f"not a while: {value!r}; {fix}", param, ctx)


def read(text: str) -> Period:
    """`week` and `month` are the last 7 and 30 days; of two dates the second is the last day. Raises ValueError."""
    if text in _BACK:
        back = _BACK[text] * DAY
        return Period(text, lambda now, _: (now - back, now))
    if month := _MONTH.fullmatch(text):
        first = date(int(month[1]), int(month[2]), 1)
        return _days(text, first, (first + timedelta(days=31)).replace(day=1))
    begin, dots, end = text.partition("..")
    if not dots:
        raise ValueError(text)
    return _days(text, date.fromisoformat(begin), date.fromisoformat(end) + timedelta(days=1))


def _days(text: str, first: date, after: date) -> Period:
    """Whole days of the reader's zone."""
    return Period(text, lambda _, zone: (_midnight(first, zone), _midnight(after, zone)))


def _midnight(day: date, zone: str) -> int:
    return instant_of(datetime.combine(day, time()), zone)
