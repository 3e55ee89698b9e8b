"""In whatever order entries come, and however often, it comes to the same in the end."""

import random
from dataclasses import replace

from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from noisy import FLAPPING, KINDS, SERVICES, silence
from small_policy import HERE, POLICY, START, World, firing, resolved

from routing.audit import audit
from routing.decision import Table
from routing.entry import AnyEntry, Command, SilenceSet, Verb
from routing.incident import Alert, Incident, Phase
from routing.instant import DAY, HOUR, MINUTE
from routing.language import matchers
from routing.policy import Policy, Process, Role
from routing.severity import Severity
from routing.simulation import Simulation

NOISE = replace(FLAPPING, noise=replace(FLAPPING.noise, flapping=None))
OCCURRENCES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from(SERVICES), st.integers(1, 3), st.booleans()),
    min_size=1, max_size=7, unique_by=lambda each: each[:3],
)  # fmt: skip
"""Kind, service, which occurrence of it, and whether it has ended; only the last may go on."""
MUTES = st.lists(
    st.builds(
        silence, st.integers(0, 9),
        st.sampled_from(['service="api"', 'kind=~"minor|outage"', 'service=~".+"']), st.sampled_from([0, 600]),
    ),
    max_size=2, unique_by=lambda each: each.id,
)  # fmt: skip


def log_of(happened: list[tuple[str, str, int, bool]]) -> list[AnyEntry]:
    """Each occurrence fires and ends at instants its sender's clock gives."""
    last = {(kind, service): 0 for kind, service, _, _ in happened}
    for kind, service, nth, _ in happened:
        last[kind, service] = max(last[kind, service], nth)
    log: list[AnyEntry] = []
    for kind, service, nth, over in happened:
        begun = START - 100 * MINUTE + nth * 10 * MINUTE
        key, labels = f"{kind}/{service}", {"service": service}
        log.append(firing(kind, key=key, labels=labels, starts_at=begun))
        if over or nth < last[kind, service]:
            ended = begun + 5 * MINUTE
            log.append(resolved(kind, key=key, labels=labels, starts_at=begun, ends_at=ended))
    return log


def played(policy: Policy, log: list[AnyEntry], world: World | None = None) -> Simulation:
    """All of it in one instant, and an hour after that."""
    sim = Simulation(policy, START, world or World())
    for entry in log:
        sim.feed(entry)
        assert audit(sim.state, sim.now) == []
    sim.pass_time(START + HOUR)
    return sim


def responded_to(sim: Simulation, alert: Alert) -> list[Incident]:
    """The open incidents whose page tells of it: its own, and what that is an effect of."""
    own = sim.state.get(Table.INCIDENT, alert.incident)
    cause = sim.state.get(Table.INCIDENT, own.cause) if isinstance(own, Incident) else None
    found = [each for each in (own, cause) if isinstance(each, Incident)]
    return [each for each in found if each.phase is not Phase.RESOLVED]


def firing_alerts(sim: Simulation) -> list[Alert]:
    found = [each for each in sim.state.tables[Table.ALERT].values() if isinstance(each, Alert)]
    return sorted(
        (each for each in found if each.firing and responded_to(sim, each)),
        key=lambda each: (each.kind, each.labels["service"]),
    )


def is_muted(sim: Simulation, alert: Alert) -> bool:
    """By what the policy and the silences of `MUTES` say, and in no other words than theirs."""
    kind, service = alert.kind, alert.labels["service"]
    told = {
        each.matchers[0] for each in sim.state.tables[Table.SILENCE].values() if isinstance(each, SilenceSet)
    }
    silenced = {
        'service="api"': service == "api",
        'kind=~"minor|outage"': kind in {"minor", "outage"},
        'service=~".+"': True,
    }
    inhibits = any(
        (other.kind, other.labels["service"]) == ("major", service) for other in firing_alerts(sim)
    )
    return (
        any(silenced[each] for each in told)
        or (kind, service) == ("noisy", "api")
        or (kind == "minor" and inhibits)
    )


def outcome(sim: Simulation) -> list[tuple[str, str, bool]]:
    """Every alert that fires, and whether something mutes it; somebody was paged for what nothing mutes."""
    alerts = firing_alerts(sim)
    for alert in alerts:
        told = [each for each in responded_to(sim, alert) if each.paged]
        assert told or is_muted(sim, alert), f"nothing mutes {alert.kind} of {alert.labels['service']}"
        assert all(each.severity <= alert.severity for each in told)
    return [(each.kind, each.labels["service"], is_muted(sim, each)) for each in alerts]


def shuffle(log: list[AnyEntry], shuffler: random.Random) -> list[AnyEntry]:
    """In another order, and half of it twice."""
    shuffled = [*log, *shuffler.sample(log, k=len(log) // 2)]
    shuffler.shuffle(shuffled)
    return shuffled


@given(OCCURRENCES, MUTES, st.randoms(use_true_random=False))
@examples(60)
def test_with_all_noise_rules_order_and_repetition_change_neither_what_fires_nor_who_is_paged_for_it(
    happened: list[tuple[str, str, int, bool]], mutes: list[AnyEntry], shuffler: random.Random
) -> None:
    log = [*mutes, *log_of(happened)]
    assert outcome(played(NOISE, shuffle(log, shuffler))) == outcome(played(NOISE, log))


RUN = Process(
    severities=(Severity.SEV0, Severity.SEV1),
    assessment_ms=15 * MINUTE,
    coordination_ms=HOUR,
    recovery_ms=HOUR,
    roles=(
        # Who has a role keeps it when it gets worse: no role goes to another for a worse one.
        Role("commander", (), ("contact", "carol"), HERE),
        Role("voice", matchers.parse_all('severity="SEV-0"'), ("contact", "bob"), HERE),
    ),
    update_ms=15 * MINUTE,
    update_from="commander",
    postmortem_ms=DAY,
    postmortem_hours="",
    origin=HERE,
)
PROCESS = replace(
    POLICY,
    process=RUN,
    runbooks=(),
    route=replace(POLICY.route, group_by=("service",), routes=()),
)
REPORTS = st.lists(
    st.tuples(st.sampled_from(["site-down", "worse", "api-broken", "deployment.error"]), st.sampled_from("ab")),
    min_size=1, max_size=6, unique=True,
)  # fmt: skip
PEOPLE = st.lists(
    st.tuples(st.sampled_from([Verb.ACK, Verb.STATUS, Verb.RESOLVE, Verb.NOTE]), st.integers(1, 40)),
    max_size=5,
)


@given(REPORTS, PEOPLE, st.randoms(use_true_random=False), st.integers(2, 3))
@examples(40)
def test_with_a_process_order_and_repetition_change_neither_who_has_a_role_nor_what_is_owed_when(
    happened: list[tuple[str, str]], acts: list[tuple[Verb, int]], shuffler: random.Random, times: int
) -> None:
    log: list[AnyEntry] = [firing(kind, key=f"{kind}/{key}", starts_at=START) for kind, key in happened]
    assert run(shuffle(log, shuffler), acts, times) == run(log, acts, 1)


def run(log: list[AnyEntry], acts: list[tuple[Verb, int]], times: int) -> list[tuple[object, ...]]:
    """How the incidents stand in the end, and how they are run; people say everything so many times."""
    sim = Simulation(PROCESS, START, World())
    for entry in log:
        sim.feed(entry)
    for verb, minutes in acts:
        sim.pass_time(sim.now + minutes * MINUTE)
        for _ in range(times):
            sim.feed(Command(at=sim.now, incident="INC-1", verb=verb, by="anna", text="we look"))
        assert audit(sim.state, sim.now) == []
    sim.pass_time(sim.now + 3 * HOUR)
    return [
        (
            each.id,
            each.severity,
            each.phase,
            each.course,
            each.firing,
            each.alerts,
            each.paged,
            each.followups,
        )
        for each in sim.incidents()
    ]
