"""What holds whatever holds pages back: no end is lost, and a report that is repeated changes nothing."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from small_policy import HERE, POLICY, START, World, firing, resolved

from routing.audit import audit
from routing.calendar.hours import Hours, Span
from routing.decision import Table
from routing.delivery import Purpose
from routing.effect import Deliver
from routing.entry import AnyEntry, Command, SilenceSet, Verb
from routing.incident import Alert, Incident, Phase
from routing.instant import HOUR, MINUTE, SECOND
from routing.language import matchers
from routing.policy import Flapping, Maintenance, Noise, Policy, Relation, Service, SeverityRule, Tie
from routing.severity import Severity
from routing.simulation import Simulation

SERVICES = ("database", "api", "checkout", "mail")
NIGHTS = Hours("nights", "Europe/Warsaw", (Span(frozenset(range(7)), 0, 24 * 60),), frozenset(), HERE)
KINDS = ("outage", "major", "minor", "noisy")


def noisy_policy(flapping: Flapping) -> Policy:
    """Everything that holds a page back, at once."""
    severities = zip(KINDS, (Severity.SEV0, Severity.SEV1, Severity.SEV2, Severity.SEV2), strict=True)
    noise = Noise(
        (
            Relation(Tie.INHIBITS, "i", matchers.parse_all('kind="major"'),
                     matchers.parse_all('kind="minor"'), ("service",), HERE),
            Relation(Tie.CAUSES, "c", matchers.parse_all('kind="outage",service="mail"'),
                     matchers.parse_all('kind="noisy"'), (), HERE, 10 * MINUTE),
        ),
        flapping=flapping,
        maintenance=(Maintenance("m", matchers.parse_all('kind="noisy",service="api"'), NIGHTS, "moving", HERE),),
    )  # fmt: skip
    return replace(
        POLICY,
        rules=tuple(
            SeverityRule(kind, matchers.parse_all(f'kind="{kind}"'), HERE, severity=each)
            for kind, each in severities
        ),
        services={
            name: Service(name, 1, HERE, depends_on=needs)
            for name, needs in (
                ("database", ()),
                ("api", ("database",)),
                ("checkout", ("api",)),
                ("mail", ()),
            )
        },
        route=replace(POLICY.route, group_by=("service", "kind"), routes=(), group_wait_ms=30 * SECOND),
        noise=noise,
        runbooks=(),
    )


FLAPPING = noisy_policy(Flapping(changes=3, within_ms=20 * MINUTE, steady_ms=10 * MINUTE))
CONDITIONS = st.tuples(st.sampled_from(KINDS), st.sampled_from(SERVICES))


def silence(number: int, matcher: str, minutes: int) -> AnyEntry:
    until = START + minutes * MINUTE
    return SilenceSet(
        at=START, id=f"s-{number}", matchers=[matcher], until_at=until, by="anna", reason="work"
    )


SILENCES = st.builds(
    silence,
    st.integers(0, 2),
    st.sampled_from(['service="api"', 'kind=~"minor|outage"', 'service=~".+"']),
    st.integers(0, 24 * 60),
)
ACKS = st.builds(
    lambda n: Command(at=START, incident=f"INC-{n}", verb=Verb.ACK, by="anna"), st.integers(1, 4)
)
STEPS = st.lists(
    st.tuples(st.one_of(CONDITIONS, SILENCES, ACKS), st.booleans(), st.integers(0, 15 * 60)), max_size=25
)


def report(sim: Simulation, condition: tuple[str, str], *, fires: bool) -> None:
    kind, service = condition
    said = firing if fires else resolved
    sim.feed(said(kind, at=sim.now, key=f"{kind}/{service}", labels={"service": service}))


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_a_suppressed_alerts_resolve_is_never_lost(
    log: list[tuple[AnyEntry | tuple[str, str], bool, int]],
) -> None:
    """Promise 6: whatever silences, inhibits, explains or holds it, who was paged hears of the end."""
    sim = Simulation(FLAPPING, START, World())
    for what, fires, wait in log:
        if isinstance(what, tuple):
            report(sim, what, fires=fires)
        else:
            sim.feed(what)
        sim.pass_time(sim.now + wait * SECOND)
        assert audit(sim.state, sim.now) == []
    for alert in list(sim.state.tables[Table.ALERT].values()):
        if isinstance(alert, Alert) and alert.firing:
            report(sim, (alert.kind, alert.labels["service"]), fires=False)
    sim.pass_time(sim.now + HOUR)
    assert [each.id for each in sim.incidents() if each.phase is not Phase.RESOLVED] == []
    assert [
        each.fingerprint
        for each in sim.state.tables[Table.ALERT].values()
        if isinstance(each, Alert) and each.firing
    ] == []
    for incident in sim.incidents():
        assert set(incident.paged) <= told_of_the_end(sim, incident), incident.id


def told_of_the_end(sim: Simulation, incident: Incident) -> set[str]:
    """Contacts that were sent a message when or after it was resolved."""
    return {
        effect.contact
        for at, effect in sim.effects
        if isinstance(effect, Deliver)
        and effect.purpose is Purpose.UPDATE
        and at >= incident.resolved_at
        and effect.message.title.startswith(f"[{incident.id}] Resolved")
    }


@given(st.lists(st.tuples(CONDITIONS, st.booleans(), st.integers(0, 15 * 60)), max_size=20))
@settings(max_examples=100, deadline=None)
def test_a_report_that_comes_twice_changes_nothing(log: list[tuple[tuple[str, str], bool, int]]) -> None:
    once, twice = (_said(log, times) for times in (1, 2))
    assert twice == once


def _said(log: list[tuple[tuple[str, str], bool, int]], times: int) -> tuple[object, ...]:
    """Which alert is in which incident and whether it fires, how incidents stand, and every message."""
    sim = Simulation(FLAPPING, START, World())
    for what, fires, wait in log:
        for _ in range(times):
            report(sim, what, fires=fires)
        sim.pass_time(sim.now + wait * SECOND)
    alerts = [each for each in sim.state.tables[Table.ALERT].values() if isinstance(each, Alert)]
    return (
        [(each.fingerprint, each.incident, each.firing, each.flapping) for each in alerts],
        [
            (each.id, each.title, each.phase, each.firing, each.cause, each.silenced_by)
            for each in sim.incidents()
        ],
        [(at, each.contact, each.message.title) for at, each in sim.effects if isinstance(each, Deliver)],
    )
