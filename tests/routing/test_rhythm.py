"""A source is missed when it is silent against its own rhythm, and never otherwise."""

from collections.abc import Callable

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from routing.instant import DAY, HOUR, MINUTE, WEEK, parse_iso
from routing.rhythm import DAYS, LEAST, SLOT_MS, Heard, Quiet, judged, silent_ms

MONDAY = parse_iso("2026-09-07T00:00Z")
START = MONDAY - 3 * WEEK
ALWAYS = Heard(START // SLOT_MS, (1 << (DAYS + 8) * DAY // SLOT_MS) - 1)
WARSAW = "Europe/Warsaw"

Speaks = Callable[[int], bool]
"""Whether the source speaks in the slot that begins then (ms)."""


def spoken(speaks: Speaks, until: int, since: int = START) -> Heard:
    """What was heard by an instant."""
    first = START // SLOT_MS
    bits = sum(
        1 << slot - first for slot in range(since // SLOT_MS, until // SLOT_MS) if speaks(slot * SLOT_MS)
    )
    return Heard(first, bits)


def last(heard: Heard) -> int:
    """When the last was heard, in ms."""
    return (heard.first + heard.bits.bit_length() - 1) * SLOT_MS if heard.bits else 0


def quiet(heard: Heard, now: int, listened: Heard = ALWAYS, timezone: str = "UTC") -> Quiet | None:
    return judged(heard, listened, last(heard), now, timezone)


def by_day(at: int) -> bool:
    return 8 * HOUR <= at % DAY < 18 * HOUR


def on_workdays(at: int) -> bool:
    return (at - MONDAY) % WEEK < 5 * DAY and by_day(at)


def every_hour(at: int) -> bool:
    return at % HOUR == 0


def always(_: int) -> bool:
    return True


def first_told(speaks: Speaks, stops: int, until: int, **more: str) -> int | None:
    """When it is first missed that stops then, looked at every five minutes."""
    heard = spoken(speaks, stops)
    return next((at for at in range(stops, until, SLOT_MS) if quiet(heard, at, **more)), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("speaks", "stops", "at_least", "at_most"),
    [
        (always, MONDAY + 12 * HOUR, 25 * MINUTE, 40 * MINUTE),
        (every_hour, MONDAY + 12 * HOUR + MINUTE, 4 * HOUR, 6 * HOUR),
        (by_day, MONDAY + 12 * HOUR, 25 * MINUTE, 40 * MINUTE),
        (on_workdays, MONDAY + 12 * HOUR, 25 * MINUTE, 40 * MINUTE),
        # What stops at the end of a day is missed in the morning.
        (by_day, MONDAY + 18 * HOUR, 14 * HOUR, 16 * HOUR),
        # On Friday evening: on Monday.
        (on_workdays, MONDAY + 4 * DAY + 18 * HOUR, 2 * DAY + 14 * HOUR, 3 * DAY),
    ],
)
def test_who_stops_is_missed_once_others_days_were_busy_then(
    speaks: Speaks, stops: int, at_least: int, at_most: int
) -> None:
    told = first_told(speaks, stops, stops + 5 * DAY)
    assert told is not None
    assert at_least <= told - stops <= at_most


def test_it_says_since_when_and_what_is_usual() -> None:
    stops = MONDAY + 12 * HOUR
    heard = spoken(always, stops)
    found = quiet(heard, stops + HOUR)
    assert found == Quiet(last(heard), 12)


@pytest.mark.parametrize("speaks", [by_day, on_workdays, every_hour])
def test_nobody_is_missed_at_night_or_at_weekends(speaks: Speaks) -> None:
    for at in range(MONDAY, MONDAY + WEEK, 50 * MINUTE):
        assert quiet(spoken(speaks, at, at - 21 * DAY), at) is None


def test_what_comes_on_one_day_of_the_week_alone_makes_no_rhythm() -> None:
    """A batch that is late is for a rule on its absence: one day a week is too little to know."""

    def in_a_batch(at: int) -> bool:
        return (at - MONDAY) % WEEK in range(9 * HOUR, 12 * HOUR)

    heard = spoken(in_a_batch, MONDAY + 10 * HOUR)
    assert quiet(heard, MONDAY + 12 * HOUR) is None


def test_who_has_spoken_for_less_than_a_week_has_no_rhythm() -> None:
    stops = MONDAY + 12 * HOUR
    for days in range(1, 7):
        heard = spoken(always, stops, stops - days * DAY)
        assert quiet(heard, stops + 6 * HOUR) is None
    assert quiet(spoken(always, stops, stops - 8 * DAY), stops + 6 * HOUR) is not None


def test_silence_that_nobody_was_there_to_hear_is_none() -> None:
    stops = MONDAY + 12 * HOUR
    heard = spoken(always, stops)
    down = Heard(ALWAYS.first, ALWAYS.bits & ((1 << (stops // SLOT_MS - ALWAYS.first)) - 1))
    assert quiet(heard, stops + 6 * HOUR, down) is None
    back = stops + 6 * HOUR
    up_again = Heard(down.first, down.bits | (0b111111111111 << (back // SLOT_MS - down.first)))
    assert quiet(heard, back + 20 * MINUTE, up_again) is None
    assert quiet(heard, back + HOUR, up_again) is not None


def test_an_outage_of_ours_in_the_past_is_no_silence_of_its() -> None:
    """On the same weekday of last week nobody was there: the two before, and the other days, still tell."""
    stops = MONDAY + 12 * HOUR
    gap = (1 << DAY // SLOT_MS) - 1 << ((MONDAY - WEEK) // SLOT_MS - ALWAYS.first)
    listened = Heard(ALWAYS.first, ALWAYS.bits & ~gap)
    heard = spoken(always, stops)
    assert quiet(Heard(heard.first, heard.bits & ~gap), stops + HOUR, listened) is not None
    assert quiet(Heard(heard.first, heard.bits & ~gap), stops + HOUR) is None, (
        "had we been there, it was silent"
    )


@pytest.mark.parametrize("change", ["2026-10-25", "2026-03-29"])
@pytest.mark.parametrize("clock", ["UTC", WARSAW])
def test_clocks_that_change_are_no_silence(change: str, clock: str) -> None:
    """Whoever lives by a clock speaks an hour later, or sooner, by UTC; whoever does not, does not."""
    from routing.calendar import wall

    day = parse_iso(f"{change}T00:00Z")
    start = day - 20 * DAY

    def speaks(at: int) -> bool:
        return 8 <= wall.local(at, clock).hour < 18

    first = start // SLOT_MS
    marks = [slot for slot in range(first, (day + 4 * DAY) // SLOT_MS) if speaks(slot * SLOT_MS)]
    listened = Heard(first, (1 << 30 * DAY // SLOT_MS) - 1)
    for now in range(day, day + 3 * DAY, 30 * MINUTE):
        heard = Heard(first, sum(1 << slot - first for slot in marks if slot * SLOT_MS < now))
        assert judged(heard, listened, last(heard), now, WARSAW) is None


PATTERNS = st.sets(st.integers(0, WEEK // HOUR - 1), min_size=1, max_size=100)
"""Hours of the week in which it speaks."""


@given(hours=PATTERNS, now=st.integers(0, WEEK // SLOT_MS - 1))
@examples(60)
def test_who_goes_on_as_in_every_week_is_never_missed(hours: set[int], now: int) -> None:
    at = MONDAY + now * SLOT_MS
    heard = spoken(lambda when: (when - START) % WEEK // HOUR in hours, at)
    assert quiet(heard, at) is None


@given(
    hours=PATTERNS, stops=st.integers(0, WEEK // SLOT_MS - 1), after=st.integers(0, 3 * DAY // SLOT_MS),
    listened=st.integers(0, (1 << 64) - 1),
)  # fmt: skip
@examples(60)
def test_who_is_missed_was_silent_for_long_while_we_listened_and_others_weeks_were_busy(
    hours: set[int], stops: int, after: int, listened: int
) -> None:
    at, now = MONDAY + stops * SLOT_MS, MONDAY + (stops + after) * SLOT_MS
    heard = spoken(lambda when: (when - START) % WEEK // HOUR in hours, at)
    some = Heard(ALWAYS.first, ALWAYS.bits & ~(listened << (at // SLOT_MS - ALWAYS.first)))
    found = quiet(heard, now, some)
    if found is None:
        return
    assert silent_ms(some, last(heard), now) >= LEAST * SLOT_MS
    begin, end = last(heard) // SLOT_MS + 1, now // SLOT_MS
    week_ago = heard.slots(begin - WEEK // SLOT_MS, (1 << end - begin) - 1)
    assert week_ago >= found.usual >= LEAST


@given(hours=PATTERNS, now=st.integers(0, WEEK // SLOT_MS - 1), last_ago=st.integers(0, 40 * DAY))
@examples(60)
def test_any_instant_can_be_asked_for(hours: set[int], now: int, last_ago: int) -> None:
    at = MONDAY + now * SLOT_MS
    heard = spoken(lambda when: (when - START) % WEEK // HOUR in hours, at)
    found = judged(heard, ALWAYS, at - last_ago, at, WARSAW)
    assert found is None or found.since_at == at - last_ago
    assert judged(Heard(at // SLOT_MS, 0), ALWAYS, at - last_ago, at, WARSAW) is None


def test_a_late_start_of_a_twentieth_of_the_night_is_none() -> None:
    heard = spoken(by_day, MONDAY + 18 * HOUR)
    opens = MONDAY + DAY + 8 * HOUR
    assert quiet(heard, opens + 40 * MINUTE) is None
    assert quiet(heard, opens + 2 * HOUR) is not None


def test_how_long_it_was_silent_counts_while_we_listened() -> None:
    assert silent_ms(ALWAYS, MONDAY, MONDAY + HOUR) == 55 * MINUTE
    assert silent_ms(Heard(0, 0), MONDAY, MONDAY + HOUR) == 0
