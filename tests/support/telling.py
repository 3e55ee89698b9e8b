"""What a simulation told whom: the questions stories ask."""

from dataclasses import replace
from typing import Any

from small_policy import POLICY, START, World

from routing.decision import Table
from routing.delivery import Delivery, Purpose
from routing.effect import Deliver
from routing.entry import Command, Verb
from routing.escalation import Delay, When
from routing.incident import Incident
from routing.instant import SECOND
from routing.policy import EscalationPolicy, EscalationStep, Policy
from routing.reason import Origin
from routing.simulation import Simulation

HERE = Origin("config/test.yaml", 9)


def step(
    *targets: tuple[str, str],
    wait_ms: int = 300_000,
    until: str = "ack",
    when: tuple[When, ...] = (),
    delay: Delay | None = None,
) -> EscalationStep:
    return EscalationStep(targets, wait_ms, HERE, until, when, delay)


def ladder(*steps: EscalationStep, repeat: int = 0, **more: Any) -> Policy:
    """The small policy, without runbooks, with these steps for every incident."""
    policy = EscalationPolicy("oncall", steps, repeat, HERE)
    route = replace(POLICY.route, group_by=("kind",), routes=())
    return replace(POLICY, escalations={"oncall": policy}, runbooks=(), route=route, **more)


def simulate(policy: Policy, world: World | None = None, at: int = START) -> Simulation:
    return Simulation(policy, at, world or World())


def only(sim: Simulation) -> Incident:
    (incident,) = sim.incidents()
    return incident


def said(sim: Simulation, purpose: Purpose) -> list[tuple[int, str, str]]:
    """Every message that left: seconds since the start, contact, channel."""
    return [
        ((at - START) // SECOND, effect.contact, effect.channel)
        for at, effect in sim.effects
        if isinstance(effect, Deliver) and effect.purpose is purpose
    ]


def pages(sim: Simulation) -> list[tuple[int, str, str]]:
    return said(sim, Purpose.PAGE)


def paged(sim: Simulation) -> list[str]:
    """Who was paged, in order, each time once however many their methods."""
    found: list[tuple[int, str]] = []
    for at, contact, _ in pages(sim):
        if (at, contact) not in found:
            found.append((at, contact))
    return [contact for _, contact in found]


def told(sim: Simulation) -> list[tuple[str, str]]:
    """Contact and first line of every quiet message."""
    return [
        (effect.contact, effect.message.body.split("\n")[0])
        for _, effect in sim.effects
        if isinstance(effect, Deliver) and effect.purpose is Purpose.UPDATE
    ]


def lines(sim: Simulation, incident: str = "") -> list[str]:
    return [moment.what for owner, moment in sim.moments if incident in {"", owner}]


def deliveries(sim: Simulation) -> list[Delivery]:
    found = sim.state.tables[Table.DELIVERY].values()
    return [each for each in found if isinstance(each, Delivery)]


def do(sim: Simulation, verb: Verb, incident: str = "INC-1", by: str = "anna", **more: Any) -> None:
    """A person's command, now."""
    sim.feed(Command(at=sim.now, incident=incident, verb=verb, by=by, **more))
