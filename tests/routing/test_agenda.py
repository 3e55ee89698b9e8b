"""The earliest timer of an incident, however many it owns and however often they move."""

from collections import UserDict

from hypothesis import given
from hypothesis import strategies as st

from routing.agenda import Agenda
from routing.decision import Decision, Drop, Put, Retire, Table
from routing.record import Record
from routing.state import State
from routing.timer import BOOKKEEPING, Timer, Wake

INCIDENTS = ("INC-1", "INC-2")


def timer(name: str, at: int, incident: str = "INC-1", wake: Wake = Wake.QUIET) -> Timer:
    return Timer(id=f"{wake}:{name}", wake=wake, subject=name, at=at, incident=incident)


def put(state: State, one: Timer) -> None:
    state.apply(Decision((Put(Table.TIMER, one.id, one, one.incident),)))


def drop(state: State, one: Timer) -> None:
    state.apply(Decision((Drop(Table.TIMER, one.id, one.incident),)))


def earliest(state: State, incident: str, but: set[str]) -> tuple[int, str] | None:
    """By looking at all of them."""
    due = [
        (each.at, each.id)
        for each in state.timers().values()
        if each.incident == incident and each.wake not in BOOKKEEPING and each.id not in but
    ]
    return min(due, default=None)


CHANGE = st.tuples(
    st.sampled_from(["put", "drop"]),
    st.sampled_from("abcdef"),
    st.integers(0, 9),
    st.sampled_from(INCIDENTS),
    st.sampled_from([Wake.QUIET, Wake.ESCALATE, Wake.UNCLAIMED]),
)


@given(st.lists(CHANGE, max_size=200), st.sets(st.sampled_from("abcdef")))
def test_it_finds_what_looking_at_every_timer_finds(
    changes: list[tuple[str, str, int, str, Wake]], left_out: set[str]
) -> None:
    state = State()
    but = {f"{Wake.QUIET}:INC-1/{name}" for name in left_out}
    for what, name, at, incident, wake in changes:
        one = timer(f"{incident}/{name}", at, incident, wake)
        known = state.timers().get(one.id)
        if what == "put":
            put(state, one)
        elif known is not None:
            drop(state, known)
        for each in INCIDENTS:
            found = state.agenda.first(each, but)
            assert (found and (found.at, found.id)) == earliest(state, each, but)


def test_a_retired_incident_leaves_nothing_behind() -> None:
    state = State()
    put(state, timer("a", 5))
    state.apply(Decision((Retire("INC-1"),)))
    assert state.agenda.first("INC-1", ()) is None


class Counting(UserDict[str, Record]):
    """A table that counts how often it is asked."""

    asked = 0

    def get(self, key: str, default: Record | None = None) -> Record | None:  # type: ignore[override]
        self.asked += 1
        return super().get(key, default)


def test_asking_costs_the_same_with_ten_thousand_timers() -> None:
    """An incident of a storm owns one for each alert, and every entry asks."""
    table = Counting()
    agenda = Agenda(table)
    for number in range(10_000):
        one = timer(str(number), 10_000 - number)
        agenda.put(table.get(one.id), one)
        table[one.id] = one
    table.asked = 0
    found = agenda.first("INC-1", ())
    assert found is not None
    assert found.at == 1
    assert table.asked <= 2


def test_moving_a_timer_for_ever_keeps_the_agenda_small() -> None:
    table = Counting()
    agenda = Agenda(table)
    for at in range(10_000):
        one = timer("a", at)
        old, table[one.id] = table.get(one.id), one
        agenda.put(old, one)
    assert len(agenda._heaps["INC-1"]) < 100
