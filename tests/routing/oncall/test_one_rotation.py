"""Who is on call: exactly one, at every instant, in every zone, through every change of the clocks."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from zones import ZONES

from routing import oncall
from routing.entry import OverrideSet
from routing.instant import DAY, HOUR, MINUTE, iso, parse_iso
from routing.oncall import OnCall, Standing
from routing.policy import Layer, Rotation, Schedule
from routing.reason import Origin

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def schedule(
    zone: str = "Europe/Warsaw", start: str = "2026-01-05T09:00", every_days: int = 7, people: str = "abc"
) -> Schedule:
    here = Origin("config/oncall.yaml", 9)
    rotation = Rotation(tuple((each,) for each in people), start, (every_days,))
    return Schedule("primary", zone, (Layer("rotation", rotation, zone, here),), here)


def who(given_: Schedule, overrides: Iterable[OverrideSet], at: int) -> OnCall:
    return oncall.who(given_, Standing(tuple(overrides)), at)


def shifts(given_: Schedule, overrides: Iterable[OverrideSet], from_at: int, until_at: int) -> list[OnCall]:
    return oncall.shifts(given_, Standing(tuple(overrides)), from_at, until_at)


def override(id_: str, contact: str, from_at: str, until_at: str, **more: Any) -> OverrideSet:
    known: dict[str, Any] = {"at": 1, "schedule": "primary", "by": "lead"}
    return OverrideSet(
        id=id_, contact=contact, from_at=parse_iso(from_at), until_at=parse_iso(until_at), **(known | more)
    )


def handoffs(found: list[OnCall]) -> list[tuple[str, str]]:
    return [(shift.contact, iso(shift.since_at)) for shift in found[1:]]


@pytest.mark.parametrize(
    ("zone", "start", "from_", "until", "expected"),
    [
        ("Europe/Warsaw", "2026-03-16T09:00", "2026-03-17", "2026-04-07",
         [("b", "2026-03-23T08:00"), ("c", "2026-03-30T07:00"), ("a", "2026-04-06T07:00")]),
        ("Europe/Warsaw", "2026-10-12T09:00", "2026-10-13", "2026-10-28",
         [("b", "2026-10-19T07:00"), ("c", "2026-10-26T08:00")]),
        # 02:30 does not exist on 29 March: clocks jump from 02:00 to 03:00, which is 01:00 UTC.
        ("Europe/Warsaw", "2026-03-22T02:30", "2026-03-23", "2026-04-06",
         [("b", "2026-03-29T01:00"), ("c", "2026-04-05T00:30")]),
        # 02:30 happens twice on 25 October: first at 00:30 UTC, then at 01:30 UTC.
        ("Europe/Warsaw", "2026-10-18T02:30", "2026-10-19", "2026-11-02",
         [("b", "2026-10-25T00:30"), ("c", "2026-11-01T01:30")]),
        # Half an hour only.
        ("Australia/Lord_Howe", "2026-09-27T02:15", "2026-09-28", "2026-10-12",
         [("b", "2026-10-03T15:30"), ("c", "2026-10-10T15:15")]),
        # Midnight itself does not exist.
        ("America/Santiago", "2026-08-30T00:00", "2026-09-01", "2026-09-14",
         [("b", "2026-09-06T04:00"), ("c", "2026-09-13T03:00")]),
        # Samoa had no 30 December 2011 at all: the day after the 29th was the 31st.
        ("Pacific/Apia", "2011-12-23T09:00", "2011-12-24", "2012-01-08",
         [("b", "2011-12-30T10:00"), ("c", "2012-01-05T19:00")]),
    ],
    ids=["spring", "autumn", "gap", "doubled", "half-hour gap", "gap at midnight", "a day that never was"],
)  # fmt: skip
def test_handoffs_keep_to_the_wall_clock(
    zone: str, start: str, from_: str, until: str, expected: list[tuple[str, str]]
) -> None:
    found = shifts(schedule(zone, start), [], parse_iso(from_), parse_iso(until))
    assert handoffs(found) == [(contact, f"{at}:00.000Z") for contact, at in expected]


def test_the_shift_begins_at_the_handoff_and_ends_before_the_next() -> None:
    at = parse_iso("2026-01-12T08:00:00Z")
    before, after = who(schedule(), [], at - 1), who(schedule(), [], at)
    assert (before.contact, before.until_at) == ("a", at)
    assert (after.contact, after.since_at, after.until_at) == ("b", at, at + 7 * DAY)
    assert after.reason == "b is on call in primary by rotation"


def test_before_the_first_handoff_the_rotation_reaches_back() -> None:
    assert who(schedule(), [], parse_iso("2026-01-05T07:59:59Z")).contact == "c"
    assert who(schedule(), [], parse_iso("2025-12-28T00:00Z")).contact == "b"


def test_one_person_alone_has_a_shift_each_week() -> None:
    found = shifts(schedule(people="a"), [], parse_iso("2026-01-05T08:00Z"), parse_iso("2026-01-26T08:00Z"))
    assert [shift.contact for shift in found] == ["a", "a", "a"]


WEEK = parse_iso("2026-01-05T08:00Z"), parse_iso("2026-01-19T08:00Z")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([override("o1", "x", "2026-01-06T08:00Z", "2026-01-07T08:00Z")],
         [("a", 5, 6), ("x", 6, 7), ("a", 7, 12), ("b", 12, 19)]),
        ([override("o1", "x", "2026-01-11T08:00Z", "2026-01-13T08:00Z")],
         [("a", 5, 11), ("x", 11, 13), ("b", 13, 19)]),
        ([override("o1", "x", "2026-01-01T08:00Z", "2026-02-01T08:00Z")], [("x", 5, 19)]),
        ([override("o1", "x", "2026-01-06T08:00Z", "2026-01-10T08:00Z"),
          override("o2", "y", "2026-01-07T08:00Z", "2026-01-08T08:00Z", at=2)],
         [("a", 5, 6), ("x", 6, 7), ("y", 7, 8), ("x", 8, 10), ("a", 10, 12), ("b", 12, 19)]),
        ([override("o1", "x", "2026-01-06T08:00Z", "2026-01-10T08:00Z", at=2),
          override("o2", "y", "2026-01-07T08:00Z", "2026-01-08T08:00Z")],
         [("a", 5, 6), ("x", 6, 10), ("a", 10, 12), ("b", 12, 19)]),
        ([override("o1", "x", "2026-01-06T08:00Z", "2026-01-10T08:00Z"),
          override("o1", "y", "2026-01-06T08:00Z", "2026-01-07T08:00Z", at=2)],
         [("a", 5, 6), ("y", 6, 7), ("a", 7, 12), ("b", 12, 19)]),
        ([override("o1", "x", "2026-01-06T08:00Z", "2026-01-10T08:00Z"),
          override("o1", "", "2026-01-06T08:00Z", "2026-01-10T08:00Z", at=2)],
         [("a", 5, 12), ("b", 12, 19)]),
        ([override("o1", "x", "2026-01-06T08:00Z", "2026-01-10T08:00Z", schedule="other")],
         [("a", 5, 12), ("b", 12, 19)]),
        ([override("o1", "x", "2026-01-10T08:00Z", "2026-01-06T08:00Z")], [("a", 5, 12), ("b", 12, 19)]),
        ([override("o1", "x", "2026-01-06T08:00Z", "2026-01-07T08:00Z"),
          override("o2", "x", "2026-01-07T08:00Z", "2026-01-08T08:00Z")],
         [("a", 5, 6), ("x", 6, 7), ("x", 7, 8), ("a", 8, 12), ("b", 12, 19)]),
    ],
    ids=["within", "across a handoff", "all of it", "the later set wins", "whatever its name", "set again",
         "removed", "another schedule", "ends before it begins", "two in a row"],
)  # fmt: skip
def test_overrides_are_laid_over_the_rotation(
    overrides: list[OverrideSet], expected: list[tuple[str, int, int]]
) -> None:
    def days(shift: OnCall) -> tuple[str, int, int]:
        return shift.contact, int(iso(shift.since_at)[8:10]), int(iso(shift.until_at)[8:10])

    assert [days(shift) for shift in shifts(schedule(), overrides, *WEEK)] == expected


def test_an_override_says_who_set_it_and_bounds_the_shift() -> None:
    given_ = [override("o1", "x", "2026-01-11T08:00Z", "2026-01-13T08:00Z")]
    found = who(schedule(), given_, parse_iso("2026-01-12T12:00Z"))
    assert found.reason == "x is on call in primary by override o1, set by lead"
    assert (iso(found.since_at)[:10], iso(found.until_at)[:10]) == ("2026-01-11", "2026-01-13")
    rest = who(schedule(), given_, parse_iso("2026-01-14T12:00Z"))
    assert (rest.contact, iso(rest.since_at)[:10]) == ("b", "2026-01-13")


def test_an_empty_range_has_no_shifts() -> None:
    assert shifts(schedule(), [], WEEK[0], WEEK[0]) == []


@pytest.mark.parametrize("zone", ZONES)
def test_over_ten_years_exactly_one_is_on_call_without_a_hole(zone: str) -> None:
    """Handoffs on Sundays at 02:30, when most zones change their clocks."""
    given_ = schedule(zone, "2019-01-06T02:30")
    begin, end = parse_iso("2019-06-01T00:00Z"), parse_iso("2029-06-01T00:00Z")
    found = shifts(given_, [], begin, end)
    assert (found[0].since_at, found[-1].until_at) == (begin, end)
    for number, (shift, following) in enumerate(pairwise(found)):
        assert shift.until_at == following.since_at
        assert ord(following.contact) - 97 == (ord(shift.contact) - 97 + 1) % 3
        assert number == 0 or abs(shift.until_at - shift.since_at - 7 * DAY) <= 2 * HOUR
        assert who(given_, [], shift.until_at - 1).contact == shift.contact
        assert who(given_, [], shift.until_at).contact == following.contact


def first_shown(wall: datetime, zone: str) -> int:
    """By definition: the first minute at which a clock on the wall shows this time or a later one."""
    at = wall.replace(tzinfo=UTC) - timedelta(hours=27)
    while at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) < wall:
        at += timedelta(minutes=1)
    return (at - EPOCH) // timedelta(milliseconds=1)


@examples(60)
@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001  # wall-clock times
    st.integers(1, 30),
    st.integers(-40, 40),
)
def test_a_handoff_is_the_first_instant_the_wall_clock_is_there(
    zone: str, start: datetime, every_days: int, turn: int
) -> None:
    start = start.replace(second=0, microsecond=0)
    given_ = schedule(zone, start.isoformat(), every_days, "ab")
    at = first_shown(start + turn * timedelta(days=every_days), zone)
    assert who(given_, [], at).since_at == at
    assert who(given_, [], at - 1).until_at == at
    assert who(given_, [], at).contact == "ab"[turn % 2]


overrides_ = st.lists(
    st.builds(
        lambda id_, contact, from_, length, at: OverrideSet(
            at=at, id=id_, schedule="primary", contact=contact, from_at=WEEK[0] + from_ * HOUR,
            until_at=WEEK[0] + (from_ + length) * HOUR,
        ),
        st.sampled_from(["o1", "o2", "o3", "o4"]), st.sampled_from(["x", "y", ""]),
        st.integers(-100, 400), st.integers(-5, 200), st.integers(1, 9),
    ),
    max_size=5,
)  # fmt: skip


@given(overrides_, st.integers(-100 * 60, 400 * 60))
def test_whatever_the_overrides_one_is_on_call_and_the_bounds_are_right(
    overrides: list[OverrideSet], minute: int
) -> None:
    at = WEEK[0] + minute * MINUTE
    found = who(schedule(), overrides, at)
    assert found.since_at <= at < found.until_at
    assert who(schedule(), overrides, found.since_at).contact == found.contact
    assert who(schedule(), overrides, found.until_at - 1).contact == found.contact
    latest = {each.id: each for each in sorted(overrides, key=lambda each: each.at)}
    covering = [each for each in latest.values() if each.contact and each.from_at <= at < each.until_at]
    if covering:
        newest = max(each.at for each in covering)
        assert found.contact in {each.contact for each in covering if each.at == newest}
    else:
        assert found.contact in "abc"


@given(overrides_)
def test_shifts_fill_the_range_and_agree_with_who(overrides: list[OverrideSet]) -> None:
    found = shifts(schedule(), overrides, *WEEK)
    assert [found[0].since_at, found[-1].until_at] == list(WEEK)
    assert all(one.until_at == two.since_at for one, two in pairwise(found))
    assert all(who(schedule(), overrides, shift.since_at).contact == shift.contact for shift in found)
