"""What one message tells of is told when that message is accepted, without waiting to look for itself."""

from dataclasses import replace

from small_policy import START, World, firing
from telling import deliveries, do, ladder, lines, simulate, step

from routing.audit import audit
from routing.decision import Decision, Put, Table
from routing.delivery import Delivery, Progress, Ration
from routing.entry import Outcome, Verb
from routing.instant import HOUR, MINUTE
from routing.policy import Limit
from routing.response.carried import CHECK_MS, MOST_AT_ONCE
from routing.response.rations import LOOK_MS
from routing.simulation import Simulation
from routing.timer import Timer, Wake

LIMITS = {"call": (Limit(1, MINUTE),), "text": (Limit(1, MINUTE), Limit(9, 10 * MINUTE))}


def storm(many: int, world: World | None = None) -> Simulation:
    """So many incidents at once; the first is told, and a minute later one message tells of all the others."""
    policy = ladder(step(("contact", "anna"), wait_ms=2 * HOUR), limits=LIMITS)
    sim = simulate(replace(policy, route=replace(policy.route, group_by=("shard",))), world)
    for number in range(many):
        sim.feed(firing("worse", key=f"k{number}", labels={"shard": f"s{number}"}))
    return sim


def texts(sim: Simulation) -> list[Delivery]:
    found = [each for each in deliveries(sim) if each.channel == "sms"]
    return sorted(found, key=lambda each: int(each.incident.removeprefix("INC-")))


def changed(decision: Decision) -> int:
    return sum(isinstance(each, Put) and each.table is Table.DELIVERY for each in decision.changes)


def test_what_a_message_carries_is_told_at_the_instant_it_is_accepted() -> None:
    sim = storm(5)
    sim.pass_time(START + 2 * MINUTE)
    first, carrier, *others = texts(sim)
    assert (first.carrier, carrier.carrier) == ("", "")
    assert [each.carrier for each in others] == [carrier.id] * 3
    assert {(each.progress, each.changed_at) for each in others} == {(Progress.SENT, carrier.changed_at)}
    assert carrier.changed_at < START + MINUTE + CHECK_MS
    assert {each.provider_id for each in others} == {carrier.provider_id}
    said = f"anna was told by {carrier.id}, together with others"
    assert [lines(sim, each.incident).count(said) for each in (first, carrier, *others)] == [0, 0, 1, 1, 1]
    assert not [timer for timer in sim.state.timers().values() if timer.wake is Wake.BUNDLE]


def test_one_entry_changes_only_so_many_and_the_others_follow_in_entries_of_their_own() -> None:
    sim = storm(2 * MOST_AT_ONCE + 20)
    sim.pass_time(START + 2 * MINUTE)
    assert {each.progress for each in texts(sim)} == {Progress.SENT}
    most = max(changed(decision) for _, decision in sim.decisions)
    assert MOST_AT_ONCE < most <= MOST_AT_ONCE + 2
    assert audit(sim.state, sim.now) == []


def test_what_its_message_did_not_reach_looks_for_itself_and_goes_another_way() -> None:
    world = World()
    sim = storm(4, world)
    world.refuses = {"sms": Outcome.PERMANENT}
    sim.pass_time(START + MINUTE + CHECK_MS // 2)
    _, carrier, *others = texts(sim)
    assert (carrier.progress, [each.progress for each in others]) == (Progress.FAILED, [Progress.PENDING] * 2)
    assert audit(sim.state, sim.now) == []
    sim.pass_time(START + MINUTE + 2 * CHECK_MS)
    assert {each.progress for each in texts(sim)[1:]} == {Progress.FAILED}
    told = [each.incident for each in deliveries(sim) if each.channel == "mail"]
    assert sorted(told) == ["INC-2", "INC-3", "INC-4"]


def test_what_was_told_is_remembered_without_a_timer_that_moves_and_forgotten_in_the_end() -> None:
    sim = storm(1)
    for number in range(4):
        sim.pass_time(sim.now + 2 * MINUTE)
        sim.feed(firing("worse", at=sim.now, key=f"l{number}", labels={"shard": f"l{number}"}))
    rations = sim.state.tables[Table.RATION]
    records = [
        each.record for _, decision in sim.decisions for each in decision.changes if isinstance(each, Put)
    ]
    timers = [each for each in records if isinstance(each, Timer) and each.wake is Wake.EXPIRE]
    assert len(rations) == len(timers) == 2
    assert sum(isinstance(each, Ration) for each in records) > 8
    for incident in sim.incidents():
        do(sim, Verb.RESOLVE, incident.id)
    sim.pass_time(sim.now + LOOK_MS - MINUTE)
    assert rations
    sim.pass_time(sim.now + LOOK_MS)
    assert not rations
