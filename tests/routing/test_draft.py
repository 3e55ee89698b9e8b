"""The draft of an entry: what is put again takes the place of what was put before, and nothing else is lost by that."""

from hypothesis import example, given
from hypothesis import strategies as st
from kept import alert, incident
from small_policy import POLICY, START

from routing.decision import Table
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.response.next_action import settle
from routing.state import Fact, State
from routing.timer import Wake

OWNERS = ("INC-1", "INC-2")
KEYS = st.sampled_from(["a", "b"])
FACTS = st.tuples(st.just("fact"), KEYS, st.text(max_size=2))
ALERTS = st.tuples(st.just("alert"), KEYS, st.sampled_from(OWNERS))
DROPS = st.tuples(st.just("drop"), KEYS, st.just(""))
RETIRES = st.tuples(st.just("retire"), st.just(""), st.sampled_from(OWNERS))


@example([("alert", "a", "INC-1"), ("retire", "", "INC-1"), ("alert", "a", "INC-1")])
@example([("fact", "a", "1"), ("drop", "a", ""), ("fact", "a", "2")])
@given(st.lists(st.one_of(FACTS, ALERTS, DROPS, RETIRES), max_size=12))
def test_its_changes_make_what_they_would_have_made_one_by_one(steps: list[tuple[str, str, str]]) -> None:
    together, one_by_one = State(), State()
    draft = Draft(POLICY, together, "u1-0", START)
    for step in steps:
        alone = Draft(POLICY, one_by_one, "u1-0", START)
        for each in (draft, alone):
            do(each, *step)
        one_by_one.apply(alone.decision())
    together.apply(draft.decision())
    assert together.tables == one_by_one.tables


def do(draft: Draft, what: str, key: str, more: str) -> None:
    if what == "fact":
        draft.put_fact(key, more)
    elif what == "alert":
        draft.put_alert(alert(key, more))
    elif what == "drop":
        draft.drop(Table.FACT, key)
    else:
        draft.retire(more)


def test_what_is_put_again_is_written_once() -> None:
    draft = Draft(POLICY, State(), "u1-0", START)
    draft.put_fact("a", "1")
    draft.put_fact("a", "2")
    (change,) = draft.decision().changes
    assert getattr(change, "record", None) == Fact(value="2")


def test_an_alert_that_goes_to_another_incident_is_kept_with_both() -> None:
    draft = Draft(POLICY, State(), "u1-0", START)
    for owner in OWNERS:
        draft.put_alert(alert("a", owner))
    assert [getattr(change, "incident", None) for change in draft.decision().changes] == list(OWNERS)


def next_of(state: State, one: Incident) -> object:
    """What is planned for it after an entry that put it, with nothing but bookkeeping beside."""
    draft = Draft(POLICY, state, "u1-0", START)
    draft.put_incident(one)
    draft.wake(Wake.UNCLAIMED, f"{one.id}-d1", START + 5_000, incident=one.id)
    settle(draft)
    found = draft.incident(one.id)
    return found and found.next_action


def test_an_incident_that_is_new_or_open_again_has_a_next_action_though_nothing_was_planned() -> None:
    state, one = State(), incident(1)
    assert next_of(state, one)
    draft = Draft(POLICY, state, "u1-0", START)
    draft.put_incident(incident(1, phase=Phase.RESOLVED))
    state.apply(draft.decision())
    assert next_of(state, one)
