"""Everything that holds a page back, at once, and logs that go through all of it: what properties are tested with."""

from dataclasses import replace

from hypothesis import strategies as st
from small_policy import HERE, POLICY, START, firing, resolved

from routing.calendar.hours import Hours, Span
from routing.entry import Command, SilenceSet, Verb
from routing.instant import MINUTE, SECOND
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


def silence(number: int, matcher: str, minutes: int) -> SilenceSet:
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


def report(sim: Simulation, condition: tuple[str, str], *, fires: bool) -> None:
    kind, service = condition
    said = firing if fires else resolved
    sim.feed(said(kind, at=sim.now, key=f"{kind}/{service}", labels={"service": service}))
