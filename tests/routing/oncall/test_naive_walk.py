"""Any schedule against a second reading of its rules, naive and slow: a walk through time in small steps.

The walk looks at the wall clock and keeps the latest time it has shown. That alone says where a handoff in a gap or
a doubled hour happens: everything is decided by the latest time shown, in plain wall-clock arithmetic.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from examples import TIMES, examples
from hypothesis import given
from hypothesis import strategies as st
from zones import ZONES

from routing.calendar.hours import FOREVER, Hours, Span
from routing.entry import OverrideKind, OverrideSet, Shift
from routing.instant import DAY, HOUR, MINUTE, parse_iso
from routing.oncall import Standing, shifts, who
from routing.policy import Layer, Mode, Rotation, RoundRobin, Schedule, Unit
from routing.reason import BUILT_IN

STEP = 15 * MINUTE
BEGIN, END = parse_iso("2019-01-01T00:00Z"), parse_iso("2029-01-01T00:00Z")
WHOLE = ZONES if TIMES > 1 else ["America/Nuuk", "Asia/Gaza", "Australia/Lord_Howe", "Europe/Warsaw"]
"""Zones whose ten years are looked at in one piece; of the others, the days around each change."""


def reading(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).replace(tzinfo=None)


@cache
def changes(zone: str) -> tuple[int, ...]:
    """Days within the ten years on which the zone's offset changes, and some on which it does not."""
    days = range(BEGIN, END, DAY)
    offsets = {day: datetime.fromtimestamp(day / 1000, ZoneInfo(zone)).utcoffset() for day in days}
    return tuple(day for day in days if offsets[day] != offsets.get(day - DAY, offsets[day])) + tuple(
        days[::500]
    )


def pieces(zone: str) -> list[tuple[int, int]]:
    """The ten years, or what of them lies around changes."""
    if zone in WHOLE:
        return [(BEGIN, END)]
    return [(max(BEGIN, day - 2 * DAY), day + 3 * DAY) for day in changes(zone)]


def walk(zone: str, from_at: int, until_at: int) -> Iterator[tuple[int, datetime]]:
    """Each step, with the latest time the clock has shown until then."""
    shown = max(reading(at, zone) for at in range(from_at - 2 * DAY, from_at, STEP))
    for at in range(from_at, until_at, STEP):
        shown = max(shown, reading(at, zone))
        yield at, shown


def within(hours: Hours, shown: datetime) -> bool:
    for day in (shown.date(), shown.date() - timedelta(days=1)):
        midnight = datetime.combine(day, time())
        if day.isoformat() in hours.holidays:
            continue
        for span in hours.spans:
            start, end = (midnight + timedelta(minutes=m) for m in (span.start_minute, span.end_minute))
            if day.weekday() in span.weekdays and start <= shown < end:
                return True
    return False


def turn(rotation: Rotation, shown: datetime) -> tuple[str, ...]:
    """Whose it is: of the last handoff the clock has shown."""
    found = handoffs(rotation)
    number, _ = found[bisect_right(found, shown, key=lambda each: each[1]) - 1]
    return rotation.turns[number % len(rotation.turns)]


@cache
def handoffs(rotation: Rotation) -> list[tuple[int, datetime]]:
    """Numbers and wall-clock times of ten years of them after the start, and half a year before it, one by one."""
    start = datetime.fromisoformat(rotation.start)
    found, number, steps = [(0, start)], 0, 0
    while found[-1][1] < start + timedelta(days=3700):
        steps += rotation.every[number % len(rotation.every)]
        number += 1
        found.append((number, stepped(start, rotation.unit, steps)))
    number = steps = 0
    while found[0][1] > start - timedelta(days=200):
        number -= 1
        steps -= rotation.every[number % len(rotation.every)]
        found.insert(0, (number, stepped(start, rotation.unit, steps)))
    return found


def stepped(start: datetime, unit: Unit, steps: int) -> datetime:
    if unit is not Unit.MONTHS:
        return start + steps * (timedelta(hours=1) if unit is Unit.HOURS else timedelta(days=1))
    month = start.replace(day=1)
    for _ in range(abs(steps)):
        month = (
            (month + timedelta(days=31)).replace(day=1)
            if steps > 0
            else (month - timedelta(days=1)).replace(day=1)
        )
    last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return month.replace(day=min(start.day, last.day))


def expected(
    schedule: Schedule, overrides: list[OverrideSet], at: int, shown: datetime
) -> tuple[list[str], list[str]]:
    people: list[str] = []
    shadows: list[str] = []
    for layer in schedule.layers:
        if layer.during is not None and not within(layer.during, shown):
            continue
        assert isinstance(layer.people, Rotation)
        names = list(turn(layer.people, shown))
        if layer.mode is Mode.REPLACE:
            people, shadows = names, []
        elif layer.mode is Mode.ADD:
            people += [name for name in names if name not in people]
        else:
            shadows += [name for name in names if name not in shadows]
    for each in sorted(overrides, key=lambda each: (each.kind is not OverrideKind.IMPORT, each.at, each.id)):
        people, shadows = laid(each, at, people, shadows)
    return people, shadows


def laid(each: OverrideSet, at: int, people: list[str], shadows: list[str]) -> tuple[list[str], list[str]]:
    if each.kind is OverrideKind.IMPORT:
        named = [shift.contact for shift in each.shifts if shift.from_at <= at < shift.until_at]
        begins, ends = (min(s.from_at for s in each.shifts), max(s.until_at for s in each.shifts))
        none = each.exclusive and begins <= at < ends
        return (list(dict.fromkeys(named)), []) if named or none else (people, shadows)
    inside, back = each.from_at <= at < each.until_at, each.back_from_at <= at < each.back_until_at
    pairs = [(each.contact, each.instead_of)] if inside else []
    if each.kind is OverrideKind.SWAP and back:
        pairs.append((each.instead_of, each.contact))
    for new, old in pairs:
        match each.kind:
            case OverrideKind.TEMPORARY:
                people = [shift.contact for shift in each.shifts if shift.from_at <= at < shift.until_at]
                shadows = []
            case OverrideKind.ADD:
                people = [*people, new]
            case OverrideKind.REMOVE:
                people = [name for name in people if name != new]
            case OverrideKind.SHADOW:
                shadows = [*shadows, new]
            case _ if not old:
                people, shadows = [new], []
            case _:
                people = [new if name == old else name for name in people]
        people, shadows = list(dict.fromkeys(people)), list(dict.fromkeys(shadows))
    return people, shadows


people_ = st.lists(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=2, unique=True).map(tuple), min_size=1, max_size=4
)


@st.composite
def rotations(draw: st.DrawFn, day: int) -> Rotation:
    unit = draw(st.sampled_from(Unit))
    most = {Unit.HOURS: 50, Unit.DAYS: 10, Unit.MONTHS: 3}[unit]
    least = 12 if unit is Unit.HOURS else 1
    every = draw(st.lists(st.integers(least, most), min_size=1, max_size=3))
    quarter = draw(st.one_of(st.integers(0, 16), st.integers(0, 95)))
    midnight = reading(day, "UTC") + draw(st.integers(-60, 60)) * timedelta(days=1)
    start = midnight + quarter * timedelta(minutes=15)
    return Rotation(tuple(draw(people_)), start.isoformat(), tuple(every), unit)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    start, end = draw(st.integers(0, 95)), draw(st.integers(0, 95))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    return Span(days, 15 * start, 15 * (end if end > start else end + 96))


@st.composite
def days_and_schedules(draw: st.DrawFn) -> tuple[int, Schedule]:
    zone = draw(st.sampled_from(ZONES))
    day = draw(st.sampled_from(changes(zone)))
    layers = []
    for number in range(draw(st.integers(1, 3))):
        during = Hours(
            "h", zone, tuple(draw(st.lists(spans(), min_size=1, max_size=2))), frozenset(), BUILT_IN
        )
        layers.append(
            Layer(
                name=f"l{number}", people=draw(rotations(day)), timezone=zone, origin=BUILT_IN,
                during=draw(st.sampled_from([None, during])), mode=draw(st.sampled_from(Mode)),
            )
        )  # fmt: skip
    return day, Schedule("primary", zone, tuple(layers), BUILT_IN)


@st.composite
def overrides_(draw: st.DrawFn, around: int) -> OverrideSet:
    def span() -> tuple[int, int]:
        start = around + draw(st.integers(-200, 200)) * STEP
        return start, start + draw(st.integers(1, 200)) * STEP

    kind = draw(st.sampled_from(OverrideKind))
    one, two = draw(st.permutations("abcd"))[:2]
    (from_at, until_at), (back_from, back_until) = span(), span()
    swapped = kind is OverrideKind.SWAP
    instead = two if swapped or (kind is OverrideKind.REPLACE and draw(st.booleans())) else ""
    found = [
        Shift(contact=name, from_at=start, until_at=end)
        for name in ("ab" if kind in {OverrideKind.TEMPORARY, OverrideKind.IMPORT} else "")
        for start, end in [span()]
    ]  # fmt: skip
    return OverrideSet(
        at=draw(st.integers(1, 9)), id=draw(st.sampled_from(["o1", "o2", "o3"])), schedule="primary",
        contact="" if found else one, from_at=from_at, until_at=until_at, kind=kind, instead_of=instead,
        back_from_at=back_from if swapped else 0, back_until_at=back_until if swapped else 0, shifts=found,
        exclusive=kind is OverrideKind.IMPORT and draw(st.booleans()),
    )  # fmt: skip


@examples(50)
@given(days_and_schedules(), st.data())
def test_at_every_instant_exactly_those_defined_are_on_call(
    drawn_: tuple[int, Schedule], data: st.DataObject
) -> None:
    day, schedule = drawn_
    drawn = data.draw(st.lists(overrides_(day), max_size=3, unique_by=lambda each: each.id))
    standing = Standing(tuple(drawn))
    found = shifts(schedule, standing, day - DAY, day + DAY)
    assert (found[0].since_at, found[-1].until_at) == (day - DAY, day + DAY)
    number = 0
    for at, shown in walk(schedule.timezone, day - DAY, day + DAY):
        while found[number].until_at <= at:
            assert found[number].until_at == found[number + 1].since_at
            number += 1
        people, shadows = expected(schedule, drawn, at, shown)
        assert (sorted(found[number].contacts), sorted(found[number].shadows)) == (
            sorted(people),
            sorted(shadows),
        )
    for shift in found[:20]:
        asked = who(schedule, standing, shift.since_at)
        assert (asked.contacts, asked.shadows) == (shift.contacts, shift.shadows)
        assert asked.since_at <= shift.since_at < shift.until_at <= max(asked.until_at, day + DAY)


@pytest.mark.parametrize("zone", ZONES)
def test_over_ten_years_no_layer_leaves_a_hole_at_a_change_of_the_clocks(zone: str) -> None:
    """Nights and weekends above a monthly rotation; handoffs where most clocks are changed."""
    nights = Hours("nights", zone, (Span(frozenset(range(7)), 21 * 60, 26 * 60 + 30),), frozenset(), BUILT_IN)
    weekend = Hours("weekend", zone, (Span(frozenset({5, 6}), 0, 1440),), frozenset(), BUILT_IN)
    layers = (
        Layer("base", Rotation((("a",), ("b",)), "2019-01-31T02:30", (1,), Unit.MONTHS), zone, BUILT_IN),
        Layer(
            "nights",
            Rotation((("c",), ("d",)), "2019-01-06T02:30", (12,), Unit.HOURS),
            zone,
            BUILT_IN,
            nights,
        ),
        Layer("weekend", Rotation((("e",), ("f",)), "2019-01-06T00:00", (5, 2)), zone, BUILT_IN, weekend),
    )
    schedule = Schedule("primary", zone, layers, BUILT_IN)
    near = []
    for begin, end in pieces(zone):
        found = shifts(schedule, Standing(), begin, end)
        assert (found[0].since_at, found[-1].until_at) == (begin, end)
        assert all(one.until_at == two.since_at for one, two in pairwise(found))
        assert all(len(shift.contacts) == 1 for shift in found)
        near += [shift for shift in found if any(abs(shift.since_at - day) < DAY for day in changes(zone))]
    for shift in near[::7]:
        for at in (shift.since_at, shift.since_at - 1):
            shown = max(reading(at - back, zone) for back in range(0, 27 * HOUR, STEP))
            assert expected(schedule, [], at, shown)[0] == list(who(schedule, Standing(), at).contacts)


def test_a_round_robin_names_the_one_after_who_was_paged_last() -> None:
    layer = Layer("rotation", RoundRobin(("a", "b", "c")), "UTC", BUILT_IN)
    schedule = Schedule("primary", "UTC", (layer,), BUILT_IN)
    assert [who(schedule, Standing(last=last), BEGIN).contact for last in ("", "a", "c", "gone")] == list(
        "abaa"
    )
    assert who(schedule, Standing(), BEGIN).until_at == FOREVER
