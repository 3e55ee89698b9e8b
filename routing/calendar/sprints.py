"""Sprints: the rhythm by which work without a deadline in hours is planned."""

from dataclasses import dataclass
from datetime import date, timedelta

from routing.calendar.wall import instant_of, local, minute_of
from routing.reason import Origin


@dataclass(frozen=True, slots=True)
class Sprints:
    """One begins at midnight of `start` (a local ISO date), and one every `every_days` before and after."""

    start: str
    every_days: int
    timezone: str
    origin: Origin


def end_of_sprint(sprints: Sprints, at: int) -> int:
    """The instant (ms) the sprint that holds `at` ends and the next begins."""
    start, length = date.fromisoformat(sprints.start), timedelta(days=sprints.every_days)
    number = (local(at, sprints.timezone).date() - start) // length
    while (end := _begin(start + (number + 1) * length, sprints.timezone)) <= at:
        number += 1
    return end


def _begin(day: date, timezone: str) -> int:
    return instant_of(minute_of(day, 0), timezone)
