"""Feeds: what a calendar changes, and when somebody has to be told of one that cannot be followed."""

from dataclasses import replace as changed

import pytest
from ics import book, calendar, contact
from msgspec.structs import replace

from routing.entry import OverrideSet, Shift
from routing.instant import DAY, HOUR, parse_iso
from routing.oncall.importing import CalendarError, FeedHealth, failing, overlay, renewed, trouble, well
from routing.policy import Feed, Layer, Rotation, Schedule
from routing.reason import BUILT_IN

NOW = parse_iso("2026-06-01T12:00Z")
FEED = Feed("https://calendar.example.com/a.ics", HOUR, 10 * DAY, (("Night watch", "ben"),), ("Lunch",))
BASE = Layer("base", Rotation((("anna",),), "2026-01-05T09:00"), "UTC", BUILT_IN)
SCHEDULE = Schedule("primary", "UTC", (BASE,), BUILT_IN, feed=FEED)
PEOPLE = book(contact("anna"), contact("ben")).contacts
DAILY = "DTSTART:20260101T080000Z\nDTEND:20260102T080000Z\nRRULE:FREQ=DAILY\nSUMMARY:{0}"
WATCH = calendar(DAILY.format("night watch"), DAILY.format("lunch"))


def found(
    text: str, standing: OverrideSet | None = None, now: int = NOW, feed: Feed = FEED
) -> OverrideSet | None:
    return renewed(changed(SCHEDULE, feed=feed), PEOPLE, text.encode(), standing, now)


def test_its_shifts_are_laid_with_its_own_names_as_far_as_it_is_read() -> None:
    laid = found(WATCH)
    assert laid is not None
    assert ({each.contact for each in laid.shifts}, laid.by, laid.exclusive) == ({"ben"}, "feed", False)
    assert (laid.from_at, laid.until_at) == (NOW - 30 * DAY - 4 * HOUR, NOW + 10 * DAY + 20 * HOUR)
    exclusive = found(WATCH, feed=changed(FEED, is_exclusive=True))
    assert exclusive is not None
    assert exclusive.exclusive


def test_the_same_is_laid_once_until_a_shift_comes_into_view() -> None:
    laid = found(WATCH)
    assert found(WATCH, laid, NOW + HOUR) is None
    later = found(WATCH, laid, NOW + DAY)
    assert later is not None
    assert later.until_at == NOW + 11 * DAY + 20 * HOUR


def test_empty_all_at_once_is_an_error_and_running_out_is_none() -> None:
    laid = found(WATCH)
    with pytest.raises(
        CalendarError, match="it has no shift any more; if that is meant: tocsin oncall remove"
    ):
        found(calendar(), laid)
    assert laid is not None
    assert found(calendar(), laid, laid.until_at) is None
    assert found(calendar()) is None


def test_all_that_is_nobodys_is_named_but_not_endlessly() -> None:
    with pytest.raises(CalendarError) as raised:
        found(calendar(*(DAILY.format(f"Someone {number}") for number in range(8))))
    assert str(raised.value).startswith(
        "whose these are is not known: 'Someone 0' (line 4: nobody is invited"
    )
    assert str(raised.value).endswith("and 3 more; write them into names of the feed, or skip")


def shifts(*spans: tuple[int, int]) -> OverrideSet:
    laid = [Shift(contact="anna", from_at=NOW + begin, until_at=NOW + end) for begin, end in spans]
    return overlay("primary", laid, exclusive=False, at=NOW, by="feed")


WHOLE, SPARSE = shifts((0, 2 * DAY), (2 * DAY, 4 * DAY)), shifts((0, DAY), (2 * DAY, 4 * DAY))
NEW = FeedHealth(looked_at=NOW, every_ms=HOUR)


@pytest.mark.parametrize(
    ("health", "after", "says"),
    [
        pytest.param(well(NEW, WHOLE, NOW), HOUR, "", id="well"),
        pytest.param(failing(NEW, "gone", NOW), 23 * HOUR, "", id="fails for less than a day"),
        pytest.param(
            failing(NEW, "gone", NOW), DAY, "the feed of primary has failed since 2026-06-01T12:00:00.000Z: gone",
            id="fails for a day",
        ),
        pytest.param(
            failing(failing(NEW, "gone", NOW), "slow", NOW + DAY), DAY, "since 2026-06-01T12:00:00.000Z: slow",
            id="fails for a day, in several ways",
        ),
        pytest.param(
            failing(well(NEW, SPARSE, NOW), "gone", NOW + 3 * DAY + 1), 3 * DAY + HOUR,
            "and its last shift ends 2026-06-05T12:00:00.000Z: gone", id="fails while its shifts run out",
        ),
        pytest.param(failing(well(NEW, SPARSE, NOW), "gone", NOW), HOUR, "", id="fails with days of shifts left"),
        pytest.param(
            well(well(NEW, WHOLE, NOW), WHOLE, NOW + 3 * DAY + 1), 3 * DAY + 1,
            "the calendar that primary follows has no shift after 2026-06-05T12:00:00.000Z",
            id="nobody has continued a calendar without gaps",
        ),
        pytest.param(
            well(well(NEW, WHOLE, NOW), None, NOW + 9 * DAY), 9 * DAY, "has no shift after 2026-06-05",
            id="nor after it ran out",
        ),
        pytest.param(well(NEW, SPARSE, NOW + 3 * DAY + 1), 3 * DAY + 1, "", id="one with gaps may end"),
        pytest.param(
            well(NEW, replace(SPARSE, exclusive=True), NOW + 3 * DAY + 1), 3 * DAY + 1, "has no shift after",
            id="an exclusive one may not",
        ),
        pytest.param(
            well(NEW, shifts((0, 9 * DAY), (DAY, 2 * DAY)), NOW + 8 * DAY), 9 * DAY - HOUR, "has no shift after",
            id="a long shift covers the gap after a short one",
        ),
        pytest.param(well(NEW, shifts((0, 9 * DAY)), NOW), DAY + HOUR, "does upkeep run?", id="nobody looks any more"),
    ],
)  # fmt: skip
def test_when_somebody_is_told(health: FeedHealth, after: int, says: str) -> None:
    told = trouble("primary", health, NOW + after)
    assert says in told
    assert bool(says) == bool(told)
