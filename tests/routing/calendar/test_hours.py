"""Hours of the week: inside or outside, and when that changes, by a wall clock that is itself changed."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from examples import examples
from hypothesis import assume, example, given
from hypothesis import strategies as st
from zones import ZONES

from routing.calendar.hours import FOREVER, Hours, Span, around, contains, next_end, next_start
from routing.instant import DAY, HOUR, MINUTE, iso, parse_iso
from routing.reason import BUILT_IN
from routing.schema.refusal import Refusal
from routing.schema.weekly import parse


def hours(*weekly: str, zone: str = "Europe/Warsaw", off: tuple[str, ...] = ()) -> Hours:
    return Hours("working", zone, tuple(parse(each) for each in weekly), frozenset(off), BUILT_IN)


WORKING = hours("mon-fri 09:00-17:00", off=("2026-12-25",))


@pytest.mark.parametrize(
    ("given_", "at", "inside"),
    [
        (WORKING, "2026-11-25T08:00Z", True),
        (WORKING, "2026-11-25T07:59:59.999Z", False),
        (WORKING, "2026-11-25T16:00Z", False),
        (WORKING, "2026-11-28T10:00Z", False),
        (WORKING, "2026-12-25T10:00Z", False),
        (hours("fri 22:00-06:00"), "2026-11-28T04:59Z", True),
        (hours("fri 22:00-06:00"), "2026-11-28T05:00Z", False),
        (hours("fri 22:00-06:00", off=("2026-11-28",)), "2026-11-28T04:00Z", True),
        (hours("fri 22:00-06:00", off=("2026-11-27",)), "2026-11-28T04:00Z", False),
        # 02:00 to 03:00 does not exist on 29 March and happens twice on 25 October.
        (hours("sun 02:00-03:00"), "2026-03-29T01:00Z", False),
        (hours("sun 02:00-02:30"), "2026-10-25T00:15Z", True),
        (hours("sun 02:00-02:30"), "2026-10-25T01:15Z", False),
        (hours("sun 02:30-04:00"), "2026-10-25T01:15Z", True),
        (hours("sat,sun 00:00-24:00"), "2026-11-29T22:59Z", True),
        (hours("sat,sun 00:00-24:00"), "2026-11-29T23:00Z", False),
    ],
    ids=["at its start", "just before", "at its end", "weekend", "holiday", "after midnight", "and its end",
         "holiday of the morning", "holiday of the evening", "no such hour", "first of two", "second of two",
         "goes on through both", "whole days", "and their end"],
)  # fmt: skip
def test_an_instant_is_inside_by_the_wall_clock(given_: Hours, at: str, inside: bool) -> None:
    assert contains(given_, parse_iso(at)) is inside


@pytest.mark.parametrize(
    ("given_", "at", "start", "end"),
    [
        (WORKING, "2026-11-25T10:00Z", "2026-11-25T10:00", "2026-11-25T16:00"),
        (WORKING, "2026-11-27T18:00Z", "2026-11-30T08:00", "2026-11-27T18:00"),
        (WORKING, "2026-12-24T20:00Z", "2026-12-28T08:00", "2026-12-24T20:00"),
        (WORKING, "2026-03-27T20:00Z", "2026-03-30T07:00", "2026-03-27T20:00"),
        (hours("mon-wed 00:00-24:00"), "2026-11-23T12:00Z", "2026-11-23T12:00", "2026-11-25T23:00"),
        (hours("mon 20:00-08:00", "tue 08:00-12:00"), "2026-11-23T22:00Z", "2026-11-23T22:00", "2026-11-24T11:00"),
    ],
    ids=["inside", "over a weekend", "over a holiday", "over a change of the clocks", "days in a row", "spans in a row"],
)  # fmt: skip
def test_the_next_start_and_end_are_found(given_: Hours, at: str, start: str, end: str) -> None:
    assert iso(next_start(given_, parse_iso(at)))[:16] == start
    assert iso(next_end(given_, parse_iso(at)))[:16] == end


def test_whole_days_may_be_inside_by_date() -> None:
    off = Hours("off", "Europe/Warsaw", (), frozenset(), BUILT_IN, frozenset({"2026-12-25", "2026-12-26"}))
    at = parse_iso("2026-12-01T00:00Z")
    assert not contains(off, at)
    assert (iso(next_start(off, at))[:16], iso(next_end(off, next_start(off, at)))[:16]) == (
        "2026-12-24T23:00",
        "2026-12-26T23:00",
    )
    assert around(off, next_end(off, next_start(off, at))) == (False, parse_iso("2026-12-26T23:00Z"), FOREVER)
    assert around(off, at) == (False, 0, parse_iso("2026-12-24T23:00Z"))


def test_what_never_ends_and_what_never_begins() -> None:
    assert next_end(hours("mon-sun 00:00-24:00"), parse_iso("2026-11-25T10:00Z")) == FOREVER
    never = Hours("never", "UTC", (), frozenset(), BUILT_IN)
    assert next_start(never, parse_iso("2026-11-25T10:00Z")) == FOREVER


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("mon-fri 09:00-17:00", Span(frozenset(range(5)), 540, 1020)),
        ("Sat, Sun 00:00-24:00", Span(frozenset({5, 6}), 0, 1440)),
        ("fri-mon 22:00-06:00", Span(frozenset({4, 5, 6, 0}), 1320, 1800)),
        ("mon 18:00-00:00", Span(frozenset({0}), 1080, 1440)),
    ],
)
def test_a_span_is_read(text: str, span: Span) -> None:
    assert parse(text) == span


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("09:00-17:00", 'write days and times, like "mon-fri 09:00-17:00"'),
        ("mon-fri", "is no span of the week"),
        ("mon-fry 09:00-17:00", 'did you mean "fri"?'),
        ("mon 25:00-26:00", "'25:00' is no time of day"),
        ("mon 10:60-11:00", "'10:60' is no time of day"),
        ("mon 09:00-09:00", 'write 00:00-24:00 for "all day"'),
        ("mon 24:00-24:00", "has no length"),
        ("mon 24:00-06:00", "has no length"),
        (9, "is no span of the week"),
    ],
)
def test_a_span_that_cannot_be_read_says_how_to_write_it(text: object, says: str) -> None:
    with pytest.raises(Refusal, match=r".*") as refused:
        parse(text)
    assert says in str(refused.value)


@st.composite
def weeks(draw: st.DrawFn) -> Hours:
    """Spans whose ends keep to whole quarters of an hour, often around the changes of the clocks."""
    quarter = st.one_of(st.integers(0, 95), st.integers(0, 16))
    spans = []
    for _ in range(draw(st.integers(1, 3))):
        days = draw(st.frozensets(st.integers(0, 6), min_size=1))
        start, end = draw(quarter), draw(quarter)
        spans.append(Span(days, 15 * start, 15 * end if end > start else 15 * end + 1440))
    return Hours("any", draw(st.sampled_from(ZONES)), tuple(spans), frozenset(), BUILT_IN)


OUTLASTING = Hours(
    "any",
    "Africa/Cairo",
    (Span(frozenset({0}), 30, 1470), Span(frozenset({0, 1}), 0, 15)),
    frozenset(),
    BUILT_IN,
)
"""What begins on Monday ends after what begins on Tuesday."""


@examples(100)
@example(OUTLASTING, 184)
@given(weeks(), st.integers(0, 10 * 366 * 24 * 4))
def test_start_and_end_agree_with_a_walk_in_steps(given_: Hours, quarter: int) -> None:
    at = parse_iso("2019-01-01T00:00Z") + quarter * 15 * MINUTE
    inside = contains(given_, at)
    edge = next_end(given_, at) if inside else next_start(given_, at)
    assert (next_start(given_, at) if inside else next_end(given_, at)) == at
    assert edge > at
    was, since, until = around(given_, at)
    assert (was, until) == (inside, edge)
    assert since <= at
    assert since == 0 or contains(given_, since - 1) is not inside
    assert contains(given_, since) is inside
    walk = range(at, min(edge, at + 3 * DAY), 15 * MINUTE)
    assert all(contains(given_, step) is inside for step in walk)
    assert contains(given_, edge - 1) is inside
    assert edge == FOREVER or contains(given_, edge) is not inside


@examples(100)
@given(weeks(), st.integers(0, 10 * 366 * 24 * 4))
def test_far_from_a_change_of_the_clocks_the_wall_clock_alone_decides(given_: Hours, quarter: int) -> None:
    at = parse_iso("2019-01-01T00:00Z") + quarter * 15 * MINUTE
    zone = ZoneInfo(given_.timezone)
    moment = datetime.fromtimestamp(at / 1000, zone)
    offsets = {datetime.fromtimestamp((at + hour * HOUR) / 1000, zone).utcoffset() for hour in range(-50, 51)}
    assume(len(offsets) == 1)
    day, minute = moment.date(), 60 * moment.hour + moment.minute
    expected = any(
        span.start_minute <= minute + 1440 * ago < span.end_minute
        and (day - timedelta(days=ago)).weekday() in span.weekdays
        for span in given_.spans
        for ago in (0, 1)
    )
    assert contains(given_, at) is expected
