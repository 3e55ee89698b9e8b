"""What is exported and imported again is the same shifts; an import lies beneath what people set by hand."""

import pytest
from examples import examples
from hypothesis import example, given
from hypothesis import strategies as st
from ics import book, contact, matched
from msgspec.structs import replace
from zones import ZONES

from routing.entry import OverrideKind, OverrideSet, Shift
from routing.instant import DAY, HOUR, parse_iso
from routing.oncall import Standing, shifts, who
from routing.oncall.icalendar import calendar
from routing.oncall.importing import overlay, same_shifts
from routing.policy import Layer, Rotation, Schedule, Unit
from routing.reason import BUILT_IN

PEOPLE = book(*map(contact, ("a", "b", "c", "d")))
NOON = parse_iso("2026-06-01T12:00Z")


def rotating(zone: str, *turns: tuple[str, ...], every: int = 7, overlap_ms: int = 0) -> Schedule:
    rotation = Rotation(turns, "2026-01-05T02:30", (every,), Unit.DAYS, overlap_ms)
    return Schedule("primary", zone, (Layer("base", rotation, zone, BUILT_IN),), BUILT_IN)


@examples(25)
@example("Europe/Warsaw", 259, [("a",)], 1, HOUR)  # a shift that is all of the hour shown twice
@given(
    st.sampled_from(ZONES), st.integers(0, 365),
    st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True).map(tuple), min_size=1, max_size=3),
    st.integers(1, 9), st.sampled_from([0, HOUR]),
)  # fmt: skip
def test_what_was_exported_comes_back_as_the_same_shifts(
    zone: str, day: int, turns: list[tuple[str, ...]], every: int, overlap_ms: int
) -> None:
    begin = parse_iso("2026-01-10T00:00Z") + day * DAY
    schedule = rotating(zone, *turns, every=every, overlap_ms=overlap_ms)
    given_ = shifts(schedule, Standing(), begin, begin + 30 * DAY)
    text = calendar(
        "All", zone, [("primary", name, each) for each in given_ for name in each.contacts], begin
    )
    found = matched(text, PEOPLE, begin, begin + 30 * DAY)
    assert (found.unknown, found.remarks) == ((), ())
    expected = {(name, each.since_at, each.until_at) for each in given_ for name in each.contacts}
    assert {(each.contact, each.from_at, each.until_at) for each in found.shifts} == expected
    assert len(found.shifts) == len(expected)

    other = rotating("UTC", ("d",))
    import_ = overlay("primary", found.shifts, exclusive=False, at=begin, by="test")
    laid = shifts(other, Standing((import_,)), begin, begin + 30 * DAY)
    assert [(set(each.contacts), each.since_at, each.until_at) for each in laid] == [
        (set(each.contacts), each.since_at, each.until_at) for each in given_
    ]


def test_a_schedule_may_be_all_gaps() -> None:
    assert matched(calendar("Nobody", "UTC", [], NOON), PEOPLE, NOON, NOON + DAY).shifts == ()


LAID = overlay(
    "primary",
    [Shift(contact="b", from_at=NOON, until_at=NOON + DAY),
     Shift(contact="c", from_at=NOON + 2 * DAY, until_at=NOON + 3 * DAY)],
    exclusive=False, at=9, by="anna",
)  # fmt: skip
BASE = rotating("UTC", ("a",))


def on_call(*overrides: OverrideSet) -> list[str]:
    """Before the first shift, in it, between, in the second, and after it."""
    times = (NOON - 1, NOON, NOON + DAY, NOON + 2 * DAY, NOON + 3 * DAY)
    return [who(BASE, Standing(overrides), at).contact for at in times]


def test_between_the_shifts_the_schedules_own_are_on_call_unless_it_is_exclusive() -> None:
    assert on_call(LAID) == ["a", "b", "a", "c", "a"]
    assert on_call(replace(LAID, exclusive=True)) == ["a", "b", "", "c", "a"]
    assert (
        who(BASE, Standing((LAID,)), NOON).reason
        == "b is on call in primary by calendar ical-primary, set by anna"
    )


@pytest.mark.parametrize("set_at", [1, 99])
def test_what_a_person_set_stays_on_top_of_an_import_that_is_renewed(set_at: int) -> None:
    taken = OverrideSet(
        at=set_at, id="o-1", schedule="primary", contact="d", from_at=NOON, until_at=NOON + 5 * HOUR
    )
    beside = replace(taken, id="o-2", contact="a", kind=OverrideKind.ADD)
    assert on_call(taken, LAID)[1] == "d"
    assert who(BASE, Standing((beside, LAID)), NOON).contacts == ("b", "a")


def test_only_the_last_import_counts_and_the_same_one_is_known() -> None:
    later = replace(LAID, at=10, shifts=LAID.shifts[:1])
    assert on_call(LAID, later) == on_call(later, LAID) == ["a", "b", "a", "a", "a"]
    assert same_shifts(replace(LAID, at=10, by="ben"), LAID)
    assert not any(same_shifts(LAID, other) for other in (None, later, replace(LAID, exclusive=True)))
