"""Recurring times: once a period by a wall clock, whatever its clocks do."""

from itertools import pairwise

import pytest

from routing.calendar.recurring import Every, Recurrence, next_after
from routing.calendar.wall import local
from routing.instant import DAY, HOUR, MINUTE, iso, parse_iso

NINE = 9 * 60


def times(rule: Recurrence, start: str, count: int) -> list[str]:
    found, at = [], parse_iso(start)
    for _ in range(count):
        at = next_after(rule, at)
        found.append(iso(at)[:16])
    return found


@pytest.mark.parametrize(
    ("rule", "start", "expected"),
    [
        (Recurrence(Every.DAY, 0, NINE, "Europe/Warsaw"), "2026-01-05T07:59:59.999Z", ["2026-01-05T08:00", "2026-01-06T08:00"]),
        (Recurrence(Every.DAY, 0, NINE, "Europe/Warsaw"), "2026-01-05T08:00:00Z", ["2026-01-06T08:00"]),
        (Recurrence(Every.WEEK, 0, NINE, "Europe/Warsaw"), "2026-01-06T00:00:00Z", ["2026-01-12T08:00", "2026-01-19T08:00"]),
        (Recurrence(Every.MONTH, 1, NINE, "Europe/Warsaw"), "2026-01-15T00:00:00Z", ["2026-02-01T08:00", "2026-03-01T08:00", "2026-04-01T07:00"]),
        (Recurrence(Every.MONTH, 31, NINE, "UTC"), "2028-01-01T00:00:00Z", ["2028-01-31T09:00", "2028-02-29T09:00", "2028-03-31T09:00", "2028-04-30T09:00"]),
        (Recurrence(Every.QUARTER, 1, NINE, "UTC"), "2026-02-01T00:00:00Z", ["2026-04-01T09:00", "2026-07-01T09:00", "2026-10-01T09:00", "2027-01-01T09:00"]),
        (Recurrence(Every.DAY, 0, 24 * 60, "UTC"), "2026-01-05T12:00:00Z", ["2026-01-06T00:00", "2026-01-07T00:00"]),
    ],
)  # fmt: skip
def test_it_comes_on_its_day_at_its_hour(rule: Recurrence, start: str, expected: list[str]) -> None:
    assert times(rule, start, len(expected)) == expected


def test_an_hour_that_spring_leaves_out_comes_when_the_gap_ends_and_one_doubled_comes_once() -> None:
    daily = Recurrence(Every.DAY, 0, 2 * 60 + 30, "Europe/Warsaw")
    # On 2026-03-29 clocks go from 02:00 to 03:00, on 2026-10-25 from 03:00 back to 02:00.
    assert times(daily, "2026-03-28T12:00:00Z", 2) == ["2026-03-29T01:00", "2026-03-30T00:30"]
    assert times(daily, "2026-10-24T12:00:00Z", 2) == ["2026-10-25T00:30", "2026-10-26T01:30"]


@pytest.mark.parametrize(
    "zone", ["Europe/Warsaw", "America/Los_Angeles", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
)
@pytest.mark.parametrize("minute", [0, 150, NINE, 23 * 60 + 59])
def test_every_day_of_a_year_has_one_and_none_comes_again(zone: str, minute: int) -> None:
    daily, at = Recurrence(Every.DAY, 0, minute, zone), parse_iso("2025-12-31T12:00:00Z")
    found = [at := next_after(daily, at) for _ in range(366)]
    assert len({local(each, zone).date() for each in found}) == 366
    assert all(DAY - 2 * HOUR <= late - early <= DAY + 2 * HOUR for early, late in pairwise(found))
    assert all(next_after(daily, each - MINUTE) == each for each in found)
