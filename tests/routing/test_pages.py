"""Whose "ack" means which incident, however many there are."""

import time
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from small_policy import POLICY, START, World, firing, resolved

from routing.decision import Decision, Put, Table
from routing.delivery import Delivery, Message, Progress, Purpose
from routing.entry import Answer
from routing.incident import Incident, Phase
from routing.pages import Pages
from routing.severity import Severity
from routing.simulation import Simulation
from routing.state import State


def page(number: int, nth: int = 1, at: int = START, address: str = "+48500") -> Delivery:
    return Delivery(
        id=f"INC-{number}-d{nth}", incident=f"INC-{number}", contact="anna", channel="sms", address=address,
        purpose=Purpose.PAGE, severity=Severity.SEV1, message=Message(title="t", body="b"),
        progress=Progress.PENDING, created_at=at, changed_at=at,
    )  # fmt: skip


def incident(number: int, phase: Phase = Phase.TRIGGERED) -> Incident:
    return Incident(
        id=f"INC-{number}", number=number, title="t", severity=Severity.SEV1, phase=phase, group="",
        opened_at=START, changed_at=START,
    )  # fmt: skip


def test_addresses_are_compared_by_their_digits() -> None:
    pages = Pages()
    pages.put(page(1, address="+48 500-100-200"))
    assert pages.latest("+48500100200") == "INC-1-d1"
    assert pages.latest("+48500100201") == ""


@given(
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(0, 3), st.booleans()), max_size=60)
)
def test_it_finds_what_looking_at_every_page_finds(changes: list[tuple[int, int, int, bool]]) -> None:
    pages, kept = Pages(), dict[tuple[int, int], Delivery]()
    for number, nth, at, keep in changes:
        one = kept.get((number, nth)) or page(number, nth, START + at)
        if keep:
            kept[number, nth] = one
            pages.put(one)
        else:
            kept.pop((number, nth), None)
            pages.drop(one)
        newest = max(kept, key=lambda key: (kept[key].created_at, key), default=None)
        assert pages.latest("+48500") == (f"INC-{newest[0]}-d{newest[1]}" if newest else "")


def test_a_reply_means_the_latest_open_incident_and_never_a_resolved_one() -> None:
    apart = replace(POLICY, route=replace(POLICY.route, group_by=("kind",), routes=()), runbooks=())
    sim = Simulation(apart, START, World())
    for after, kind in enumerate(("site-down", "api-broken", "worse")):
        sim.pass_time(START + after)
        sim.feed(firing(kind, at=sim.now, key=kind))
    sim.feed(resolved("worse", at=sim.now + 1, key="worse"))
    sim.feed(Answer(at=START, channel="sms", text="ack", address=POLICY.contacts["anna"].methods[1].address))
    assert [each.phase for each in sim.incidents()] == [Phase.TRIGGERED, Phase.ACKNOWLEDGED, Phase.RESOLVED]


def test_a_reply_is_understood_at_once_although_10000_incidents_are_open() -> None:
    """Walking all of them a hundred times takes ten seconds; the deadline has ten times the slack."""
    state = State()
    many = 10_000
    for number in range(1, many + 1):
        state.apply(Decision((Put(Table.INCIDENT, f"INC-{number}", incident(number)),)))
        one = page(number, at=START + number)
        state.apply(Decision((Put(Table.DELIVERY, one.id, one, one.incident),)))
    began = time.perf_counter()
    for _ in range(100):
        assert state.pages.latest("+48500") == f"INC-{many}-d1"
    assert time.perf_counter() - began < 0.1
    state.apply(Decision((Put(Table.INCIDENT, f"INC-{many}", incident(many, Phase.RESOLVED)),)))
    assert state.pages.latest("+48500") == f"INC-{many - 1}-d1"
