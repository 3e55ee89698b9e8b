"""Who is on call now is remembered, and never for longer than it is so."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from routing import oncall
from routing.decision import Change, Decision, Drop, Put, Table
from routing.entry import OverrideSet
from routing.instant import DAY, HOUR, parse_iso
from routing.oncall.standing import last_key
from routing.policy.schedules import Layer, Rotation, RoundRobin, Schedule
from routing.reason import Origin
from routing.state import Fact, State

HERE = Origin("oncall.yaml", 1)
START = parse_iso("2026-03-27T00:00Z")  # over the change of the clocks
TURNS = Layer(
    "days", Rotation((("anna",), ("ben",), ("cto",)), "2026-01-05T09:00", (1,)), "Europe/Warsaw", HERE
)
ROUND = Layer("round", RoundRobin(("anna", "ben", "cto")), "Europe/Warsaw", HERE)
SCHEDULES = [
    Schedule(name, "Europe/Warsaw", (layer,), HERE) for name, layer in [("turns", TURNS), ("round", ROUND)]
]

hours = st.integers(0, 6 * 24).map(lambda hour: START + hour * HOUR)
overrides = st.builds(
    lambda name, contact, at, long: Put(
        Table.OVERRIDE,
        name,
        OverrideSet(at=START, id=name, schedule="turns", contact=contact, from_at=at, until_at=at + long * HOUR),
    ),
    st.sampled_from(["o-1", "o-2"]), st.sampled_from(["press", "ceo"]), hours, st.integers(1, 40),
)  # fmt: skip
taken_back = st.sampled_from(["o-1", "o-2"]).map(lambda name: Drop(Table.OVERRIDE, name))
paged = st.sampled_from(["anna", "ben", "cto"]).map(
    lambda name: Put(Table.FACT, last_key("round"), Fact(value=name))
)
reloaded = st.just("another policy")


@given(st.lists(st.one_of(hours, overrides, taken_back, paged, reloaded), max_size=40))
def test_what_is_remembered_is_what_is_so(steps: list[int | Change | str]) -> None:
    state, schedules, now = State(), SCHEDULES, START
    for step in steps:
        if isinstance(step, int):
            now = step
        elif isinstance(step, str):
            layer = replace(TURNS, people=Rotation((("ben",), ("cto",)), "2026-01-05T09:00", (1,)))
            schedules = [replace(SCHEDULES[0], layers=(layer,)), SCHEDULES[1]]
        else:
            state.apply(Decision((step,)))
        for each in schedules:
            fresh = oncall.who(each, oncall.standing(state, each.name), now)
            assert oncall.now(state, each, now) == fresh


def test_it_is_found_once_a_shift() -> None:
    state, schedule = State(), SCHEDULES[0]
    first = oncall.now(state, schedule, START)
    assert oncall.now(state, schedule, first.until_at - 1) is first
    assert oncall.now(state, schedule, first.until_at).since_at == first.until_at
    assert first.until_at - first.since_at == DAY
