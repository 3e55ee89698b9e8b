"""calendar.yaml: what ships is true, what is wrong in it is told, and it may be left out."""

from datetime import date, timedelta

import pytest
import shipped
from pydantic import BaseModel, ValidationError

from routing.calendar.hours import contains, next_start
from routing.calendar.sprints import Sprints, end_of_sprint
from routing.instant import iso, parse_iso
from routing.load import load
from routing.reason import BUILT_IN
from routing.schema.fields import HoursName
from routing.schema.part import Known

CALENDAR = "config/calendar.yaml"


def easter(year: int) -> date:
    """Gauss's rule with its corrections, after Butcher (Meeus, Astronomical Algorithms, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    h = (19 * a + b - d - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    i, k = divmod(c, 4)
    length = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * length) // 451
    month, day = divmod(h + length - 7 * m + 114, 31)
    return date(year, month, day + 1)


def polish_days_off(year: int) -> set[str]:
    """By the law of 18 January 1951 as of 2025, when Christmas Eve was added."""
    fixed = ["01-01", "01-06", "05-01", "05-03", "08-15", "11-01", "11-11", "12-24", "12-25", "12-26"]
    moving = [easter(year) + timedelta(days=days) for days in (0, 1, 49, 60)]
    return {f"{year}-{day}" for day in fixed} | {day.isoformat() for day in moving}


def test_the_polish_holidays_that_ship_are_those_of_the_law() -> None:
    assert shipped.policy().hours["working"].holidays == polish_days_off(2026) | polish_days_off(2027)


def test_the_working_hours_that_ship_end_before_christmas() -> None:
    working = shipped.policy().hours["working"]
    assert contains(working, parse_iso("2026-12-23T15:59Z"))
    assert iso(next_start(working, parse_iso("2026-12-23T16:00Z"))) == "2026-12-28T08:00:00.000Z"
    assert str(working.origin).startswith(f"{CALENDAR}:")


def test_without_the_file_there_are_no_hours_and_no_sprints() -> None:
    planned = shipped.spoilt("tocsin.yaml", ", resolve: next sprint", "")
    planned["config/severity.yaml"] = planned["config/severity.yaml"].replace("    inside: working\n", "")
    files = {name: text for name, text in planned.items() if name not in {CALENDAR, "config/process.yaml"}}
    policy = load(files, shipped.vendors())
    assert (policy.hours, policy.sprints) == ({}, None)


class Named(BaseModel):
    during: HoursName


@pytest.mark.parametrize("names", [frozenset({"working"}), frozenset()], ids=["another", "none at all"])
def test_hours_that_do_not_exist_are_refused_with_what_exists(names: frozenset[str]) -> None:
    known = Known({"hours": names}, {"hours": CALENDAR}, frozenset(), None, None)
    with pytest.raises(ValidationError, match='no hours "workin"') as refused:
        Named.model_validate({"during": "workin"}, context=known)
    assert ('did you mean "working"?' in str(refused.value)) is bool(names)


SPRINTS = Sprints("2026-01-05", 14, "Europe/Warsaw", BUILT_IN)


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-01-04T23:00Z", "2026-01-18T23:00"),
        ("2026-01-04T22:59Z", "2026-01-04T23:00"),
        ("2026-01-18T23:00Z", "2026-02-01T23:00"),
        ("2026-03-23T12:00Z", "2026-03-29T22:00"),
        ("2025-12-25T12:00Z", "2026-01-04T23:00"),
    ],
    ids=[
        "its first instant",
        "the last before",
        "the next",
        "over a change of the clocks",
        "before the first",
    ],
)
def test_a_sprint_ends_at_local_midnight(at: str, end: str) -> None:
    assert iso(end_of_sprint(SPRINTS, parse_iso(at)))[:16] == end
