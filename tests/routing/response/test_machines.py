"""A program that is told of incidents hears of each by itself, however many there are; a person does not."""

from dataclasses import replace

import pytest
from small_policy import HERE, POLICY, START, firing
from telling import deliveries, ladder, simulate, step

from routing.instant import HOUR, MINUTE, SECOND
from routing.policy import Channel, Digest, Limit, Method, Policy
from routing.severity import Severity
from routing.simulation import Simulation

WAY = Method("ops", "ops-bot")


def told_by(*, machine: bool) -> Policy:
    bot = replace(
        POLICY.contacts["room"],
        name="bot",
        methods=(WAY,),
        by_severity=dict.fromkeys(Severity, (WAY,)),
        quiet=(WAY,),
    )
    policy = ladder(step(("contact", "bot"), wait_ms=HOUR), limits={"message": (Limit(1, 10 * MINUTE),)})
    policy = replace(policy, route=replace(policy.route, group_by=("shard",), inform=()))
    channel = Channel("ops", "webhook", {}, HERE, machine=machine)
    return replace(
        policy, contacts={**policy.contacts, "bot": bot}, channels={**policy.channels, "ops": channel}
    )


def storm(policy: Policy, many: int = 5) -> Simulation:
    sim = simulate(policy)
    for number in range(many):
        sim.feed(firing("worse", at=sim.now, key=f"k{number}", labels={"shard": f"s{number}"}))
        sim.pass_time(sim.now + SECOND)
    sim.pass_time(START + MINUTE)
    return sim


@pytest.mark.parametrize(("machine", "left"), [(True, 5), (False, 1)], ids=["a program", "a person"])
def test_a_program_hears_of_each_incident_at_once(machine: bool, left: int) -> None:
    sim = storm(told_by(machine=machine))
    assert len([each for each in deliveries(sim) if each.channel == "ops" and not each.held]) == left


def test_a_program_waits_for_no_digest() -> None:
    policy = told_by(machine=True)
    digest = Digest(frozenset({Severity.SEV1}), 9 * 60, "Europe/Warsaw")
    bot = replace(policy.contacts["bot"], digest=digest)
    sim = storm(replace(policy, contacts={**policy.contacts, "bot": bot}), 1)
    assert [each.held for each in deliveries(sim) if each.channel == "ops"] == [""]
