"""Window rules in the fold: what they raise, what ends it, and what a storm may cost."""

from dataclasses import replace

import msgspec
import pytest
from examples import TIMES
from small_policy import POLICY, START, World, failed_card, firing

from routing.decision import Table
from routing.entry import Signal
from routing.incident import Phase
from routing.instant import DAY, MINUTE, SECOND
from routing.language import matchers
from routing.policy import Policy, Rate, Ratio, Threshold
from routing.severity import Severity
from routing.simulation import Simulation
from routing.state import State

THRESHOLD = POLICY.thresholds[0]
STORM = 10_000 * TIMES


def simulation(*thresholds: Threshold) -> Simulation:
    policy: Policy = replace(POLICY, thresholds=thresholds)
    return Simulation(policy, START, World(), keep=False)


def card(number: int, at: int, kind: str = "payment_intent.payment_failed", **labels: str) -> Signal:
    signal = failed_card(number, at)
    event = msgspec.structs.replace(signal.event, kind=kind, labels=labels)
    return msgspec.structs.replace(signal, event=event)


def feed(sim: Simulation, *signals: Signal) -> None:
    for signal in signals:
        sim.pass_time(max(sim.now, signal.at))
        sim.feed(signal)


def kept(state: State) -> int:
    return len(state.tables[Table.WINDOW])


def test_many_customers_raise_one_alert_and_one_customer_many_times_none() -> None:
    sim = simulation(replace(THRESHOLD, count=5, distinct="customer"))
    feed(sim, *(card(n, START + n, customer="cus_1") for n in range(50)))
    assert sim.incidents() == []
    feed(sim, *(card(100 + n, START + 100 + n, customer=f"cus_{n}") for n in range(5)))
    (incident,) = sim.incidents()
    assert (incident.severity, incident.service) == (Severity.SEV1, "checkout")
    assert "5 of 5 different values of customer within 5m" in incident.summary


def test_a_customer_among_the_details_counts_as_well() -> None:
    sim = simulation(replace(THRESHOLD, count=2, distinct="customer"))
    for name in ("a", "b"):
        signal = card(0, START)
        event = msgspec.structs.replace(signal.event, details={"customer": name})
        sim.feed(msgspec.structs.replace(signal, event=event))
    assert len(sim.incidents()) == 1


def test_a_burst_ends_when_it_is_as_ever_again() -> None:
    """Some events are usual: they must not keep the alert from ending."""
    rate = replace(THRESHOLD, count=10, window_ms=10 * MINUTE, quiet_ms=10 * MINUTE, rate=Rate(3, 2))
    sim = simulation(rate)
    steady = [card(n, START + n * 100 * SECOND) for n in range(18)]
    burst = [card(100 + n, START + 30 * MINUTE + n * 10 * SECOND) for n in range(60)]
    after = [card(1000 + n, START + 41 * MINUTE + n * 100 * SECOND) for n in range(60)]
    feed(sim, *steady)
    assert sim.incidents() == []
    feed(sim, *burst)
    assert [incident.phase for incident in sim.incidents()] == [Phase.TRIGGERED]
    feed(sim, *after)
    assert [incident.phase for incident in sim.incidents()] == [Phase.RESOLVED]


def test_failed_payments_among_succeeded_ones_are_one_incident_which_ends() -> None:
    ratio = replace(
        THRESHOLD, count=10, ratio=Ratio(20, matchers.parse_all('kind="payment_intent.succeeded"'))
    )
    sim = simulation(ratio)

    def paid(number: int, at: int) -> Signal:
        return card(number, at, "payment_intent.succeeded")

    feed(sim, *(paid(n, START + n) for n in range(20)), *(card(100 + n, START + 50 + n) for n in range(4)))
    assert sim.incidents() == []
    feed(sim, card(200, START + 100))
    assert [incident.phase for incident in sim.incidents()] == [Phase.TRIGGERED]
    feed(sim, *(paid(1000 + n, START + MINUTE + n * 10 * SECOND) for n in range(200)))
    assert [incident.phase for incident in sim.incidents()] == [Phase.RESOLVED]


def test_an_event_that_reaches_one_threshold_and_not_another_says_what_it_reached() -> None:
    sim = simulation(replace(THRESHOLD, count=2), replace(THRESHOLD, name="many-more", count=50))
    sim.feed(card(1, START))
    verdict = sim.feed(card(2, START)).verdict
    assert verdict is not None
    assert (verdict.did, verdict.incident) == ("opened", "INC-1")


def test_a_rule_of_the_same_name_as_a_kind_of_event_does_not_end_that_events_alert() -> None:
    sim = simulation(replace(THRESHOLD, name="queue-full"))
    sim.feed(firing("queue-full"))
    sim.pass_time(START + 3 * THRESHOLD.quiet_ms)
    assert [incident.phase for incident in sim.incidents()] == [Phase.TRIGGERED]


@pytest.mark.parametrize(
    "threshold",
    [
        replace(THRESHOLD, count=100, distinct="customer"),
        replace(THRESHOLD, by=("customer",), most=50),
        replace(THRESHOLD, by=("customer",), most=50, rate=Rate(3, 6)),
    ],
    ids=["distinct", "by customer", "rate by customer"],
)
def test_a_storm_of_so_many_customers_keeps_little_and_is_one_incident(threshold: Threshold) -> None:
    sim = simulation(threshold)
    for n in range(STORM):
        sim.feed(card(n, START + n // 100, customer=f"cus_{n}"))
    size = len(msgspec.json.encode(list(sim.state.tables[Table.WINDOW].values())))
    assert kept(sim.state) <= 51
    assert size < 50_000
    assert len(sim.incidents()) <= 2


def test_too_many_values_are_told_once_and_room_is_made_again() -> None:
    threshold = replace(THRESHOLD, count=5, by=("customer",), most=3)
    sim = simulation(threshold)
    feed(sim, *(card(n, START + n, customer=f"cus_{n}") for n in range(5)))
    (told,) = sim.incidents()
    assert (told.severity, told.title) == (Severity.SEV3, "payments-failing counts by too much")
    assert told.summary == "more than 3 combinations of customer: the rest is counted together"
    assert kept(sim.state) == 4
    sim.pass_time(START + 6 * MINUTE)
    assert kept(sim.state) == 0
    feed(sim, *(card(10 + n, sim.now, customer=f"cus_{n}") for n in range(3)))
    assert kept(sim.state) == 3
    sim.pass_time(START + 2 * DAY)
    assert [incident.phase for incident in sim.incidents()] in ([Phase.RESOLVED], [])
