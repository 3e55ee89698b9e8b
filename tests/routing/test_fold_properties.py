"""What holds for every log, not only for the stories we thought of."""

import random
from dataclasses import replace

import msgspec
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from small_policy import HERE, POLICY, START, World, deploy, failed_card, firing, resolved

from routing.alerts.fingerprint import fingerprint
from routing.audit import audit
from routing.decision import Put, Table
from routing.delivery import Delivery, Progress
from routing.entry import (
    AlertCommand,
    Answer,
    AnyEntry,
    Command,
    Graded,
    Outcome,
    Receipt,
    SilenceSet,
    SwitchSet,
    Verb,
)
from routing.incident import Alert, Incident, Phase
from routing.instant import MINUTE, SECOND
from routing.policy import Promotion
from routing.severity import Severity
from routing.simulation import Simulation

KINDS = st.sampled_from(["site-down", "api-broken", "worse", "deployment.error"])
KEYS = st.sampled_from(["a", "b", "c"])
INCIDENTS = st.sampled_from(["INC-1", "INC-2", "INC-3"])
DELIVERIES = st.builds(lambda inc, n: f"{inc}-d{n}", INCIDENTS, st.integers(1, 6))

entries = st.one_of(
    st.builds(lambda kind, key: firing(kind, key=key), KINDS, KEYS),
    st.builds(lambda kind, key: resolved(kind, key=key), KINDS, KEYS),
    st.builds(failed_card, st.integers(0, 99)),
    st.just(deploy()),
    st.builds(lambda i, v: Command(at=START, incident=i, verb=v, by="op"), INCIDENTS, st.sampled_from(Verb)),
    st.builds(
        lambda k, i, v: AlertCommand(at=START, source="am", alert=k, incident=i, verb=v, by="am", text="t"),
        KEYS.map(lambda key: fingerprint(firing(key=key).event, "")),
        st.just("") | INCIDENTS,
        st.sampled_from([Verb.ACK, Verb.NOTE, Verb.RESOLVE]),
    ),
    st.builds(
        lambda d, t: Answer(at=START, channel="voice", text=t, delivery=d),
        DELIVERIES,
        st.sampled_from(["4", "5", "6", "ack", "2r", "?"]),
    ),
    st.builds(
        lambda d, s: Receipt(at=START, delivery=d, status=s),
        DELIVERIES,
        st.sampled_from(["busy", "answered", "delivered", "failed"]),
    ),
    st.builds(
        lambda minutes: SilenceSet(
            at=START, id="s", matchers=['kind="worse"'], until_at=START + minutes * MINUTE
        ),
        st.integers(0, 90),
    ),
    st.builds(lambda on: SwitchSet(at=START, name="kill", on=on), st.booleans()),
)
steps = st.lists(st.tuples(entries, st.integers(0, 20 * 60)), max_size=25)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world = World()
    names = ["voice", "sms", "mail", "http.probe", "vercel.rollback"]
    world.health_failures = draw(st.sampled_from([0, 3]))
    world.site_is_up_after_rollback = draw(st.booleans())
    world.dead = set(draw(st.lists(st.sampled_from(names), max_size=2)))
    world.asleep = set(draw(st.lists(st.sampled_from(names), max_size=2)))
    outcomes = st.sampled_from([Outcome.TEMPORARY, Outcome.PERMANENT, Outcome.UNKNOWN])
    world.refuses = draw(st.dictionaries(st.sampled_from(names), outcomes, max_size=3))
    return world


def play(log: list[tuple[AnyEntry, int]], world: World) -> Simulation:
    sim = Simulation(POLICY, START, world)
    for entry, wait in log:
        sim.feed(msgspec.structs.replace(entry, at=sim.now))
        assert audit(sim.state, sim.now) == []
        sim.pass_time(sim.now + wait * SECOND)
        assert audit(sim.state, sim.now) == []
    return sim


@given(steps, worlds())
@examples(60)
def test_every_open_incident_always_has_a_next_action(log: list[tuple[AnyEntry, int]], world: World) -> None:
    sim = play(log, world)
    for incident in sim.incidents():
        if incident.phase is not Phase.RESOLVED:
            assert incident.next_action is not None
            assert incident.next_action.at >= sim.now


@given(steps, worlds())
@examples(40)
def test_an_open_incident_ends_up_with_somebody_told(log: list[tuple[AnyEntry, int]], world: World) -> None:
    sim = play(log, world)
    sim.pass_time(sim.now + 12 * 60 * MINUTE)
    for incident in sim.incidents():
        if incident.phase is not Phase.RESOLVED:
            assert incident.paged, "open for half a day and nobody was ever told"


@given(steps, worlds())
@examples(40)
def test_the_same_log_gives_the_same_decisions(log: list[tuple[AnyEntry, int]], world: World) -> None:
    first, second = play(log, _copy(world)), play(log, _copy(world))
    assert first.decisions == second.decisions


def _copy(world: World) -> World:
    copy = World()
    vars(copy).update(vars(world))
    return copy


occurrences = st.lists(st.tuples(KEYS, st.integers(1, 5)), min_size=1, max_size=6, unique=True)


@given(occurrences, st.randoms(use_true_random=False), st.booleans())
@examples(60)
def test_order_and_repetition_of_reports_do_not_change_what_is_open_in_the_end(
    happened: list[tuple[str, int]], shuffler: random.Random, last_is_open: bool
) -> None:
    """Each occurrence of a condition fires and resolves at instants its sender's clock gives."""
    log: list[AnyEntry] = []
    for key, nth in happened:
        begun = START - 100 * MINUTE + nth * 10 * MINUTE
        ended = begun + 5 * MINUTE
        log.append(firing("worse", key=key, starts_at=begun))
        still_open = last_is_open and nth == max(n for k, n in happened if k == key)
        if not still_open:
            log.append(resolved("worse", key=key, starts_at=begun, ends_at=ended))
    straight = _open_alerts(log)
    shuffled = [*log, *shuffler.sample(log, k=len(log) // 2)]
    shuffler.shuffle(shuffled)
    assert _open_alerts(shuffled) == straight


def _open_alerts(log: list[AnyEntry]) -> set[str]:
    sim = Simulation(POLICY, START, World())
    for entry in log:
        sim.feed(entry)
    return {
        alert.fingerprint
        for alert in sim.state.tables[Table.ALERT].values()
        if isinstance(alert, Alert) and alert.firing and _is_open(sim, alert)
    }


def _is_open(sim: Simulation, alert: Alert) -> bool:
    incident = sim.state.get(Table.INCIDENT, alert.incident)
    return isinstance(incident, Incident) and incident.phase is not Phase.RESOLVED


@given(steps, worlds())
@examples(40)
def test_bytes_written_per_event_do_not_grow_with_the_life_of_an_incident(
    log: list[tuple[AnyEntry, int]], world: World
) -> None:
    sim = play(log, world)
    sim.feed(firing("worse", at=sim.now, key="storm", starts_at=sim.now))
    sizes = []
    for number in range(200):
        decision = sim.feed(firing("worse", at=sim.now, key=f"storm-{number}", starts_at=sim.now))
        sizes.append(sum(len(msgspec.json.encode(change)) for change in decision.changes))
    assert max(sizes[50:]) < 6000
    assert sizes[-1] <= max(sizes[20:60]) + 200


@given(steps, worlds())
@examples(40)
def test_what_the_state_knows_by_heart_is_what_its_tables_say(
    log: list[tuple[AnyEntry, int]], world: World
) -> None:
    """After every decision, and in no way more than that: nothing is kept of what is gone."""
    sim = Simulation(POLICY, START, world)
    for entry, wait in log:
        sim.feed(msgspec.structs.replace(entry, at=sim.now))
        sim.pass_time(sim.now + wait * SECOND)
        pending: dict[str, set[str]] = {}
        for each in sim.state.tables[Table.DELIVERY].values():
            if isinstance(each, Delivery) and each.progress is Progress.PENDING:
                pending.setdefault(each.incident, set()).add(each.id)
        assert sim.state.unclaimed == pending
        held: dict[str, set[str]] = {}
        for one in sim.incidents():
            if one.silenced_by and one.phase is Phase.TRIGGERED:
                held.setdefault(one.silenced_by, set()).add(one.id)
        assert sim.state.held == held


graded = st.builds(
    lambda i, s: Graded(at=START, incident=i, severity=s, by="op"), INCIDENTS, st.integers(0, 4)
)
PROMOTING = replace(
    POLICY,
    promotions=(
        Promotion("age", Severity.SEV1, HERE, after_ms=30 * MINUTE),
        Promotion("growth", Severity.SEV0, HERE, alerts=2),
    ),
)


@given(st.lists(st.tuples(entries | graded, st.integers(0, 20 * 60)), max_size=25), worlds())
@examples(50)
def test_nothing_but_a_person_makes_an_incident_milder(log: list[tuple[AnyEntry, int]], world: World) -> None:
    sim = Simulation(PROMOTING, START, world)
    by_person = set()
    for entry, wait in log:
        sim.feed(msgspec.structs.replace(entry, at=sim.now))
        if isinstance(entry, Graded):
            by_person.add(len(sim.decisions) - 1)
        sim.pass_time(sim.now + wait * SECOND)
    known: dict[str, Severity] = {}
    for number, (_, decision) in enumerate(sim.decisions):
        for change in decision.changes:
            if isinstance(change, Put) and isinstance(change.record, Incident):
                before = known.get(change.key, change.record.severity)
                assert change.record.severity <= before or number in by_person
                known[change.key] = change.record.severity
