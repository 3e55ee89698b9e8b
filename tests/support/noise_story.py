"""Stories about noise: a policy whose alerts are named after how bad they are, and what was told of them."""

from dataclasses import replace
from typing import Any

from small_policy import HERE, POLICY, START, World, firing, resolved

from routing.decision import Table
from routing.delivery import Purpose
from routing.effect import Deliver
from routing.incident import Alert, Incident, Phase
from routing.instant import SECOND
from routing.language import matchers
from routing.policy import Noise, Policy, Relation, Service, SeverityRule, Tie
from routing.severity import Severity
from routing.simulation import Simulation


def relation(tie: Tie, source: str, target: str, *equal: str, within_ms: int = 0) -> Relation:
    return Relation(tie, "r", matchers.parse_all(source), matchers.parse_all(target), equal, HERE, within_ms)


def service(name: str, *needs: str) -> Service:
    return Service(name, 1, HERE, depends_on=needs)


def policy(*relations: Relation, **more: Any) -> Policy:
    """Alerts named after how bad they are, each with the labels it brings."""
    rules = tuple(
        SeverityRule(name, matchers.parse_all(f'kind=~"{name}.*"'), HERE, severity=severity)
        for name, severity in (("outage", Severity.SEV0), ("major", Severity.SEV1), ("minor", Severity.SEV2))
    )
    shaped = {"group_by": ("service", "kind"), "routes": (), **more.pop("route", {})}
    route = replace(POLICY.route, **shaped)
    noise = Noise(relations, **more.pop("noise", {}))
    return replace(POLICY, rules=rules, route=route, noise=noise, runbooks=(), **more)


def simulation(known: Policy) -> Simulation:
    return Simulation(known, START, World())


def on(kind: str, at: int = START, **labels: str) -> Any:
    return firing(kind, at=at, key=f"{kind}{sorted(labels.items())}", labels=labels)


def off(kind: str, at: int = START, **labels: str) -> Any:
    return resolved(kind, at=at, key=f"{kind}{sorted(labels.items())}", labels=labels)


def told(sim: Simulation, purpose: Purpose = Purpose.PAGE) -> list[tuple[int, str, str]]:
    """Seconds since the start, contact, title; once for all their methods."""
    found = [
        ((at - START) // SECOND, effect.contact, effect.message.title)
        for at, effect in sim.effects
        if isinstance(effect, Deliver) and effect.purpose is purpose
    ]
    return list(dict.fromkeys(found))


def paged(sim: Simulation) -> list[str]:
    return [title for _, _, title in told(sim)]


def updates(sim: Simulation) -> list[str]:
    return [title for _, _, title in told(sim, Purpose.UPDATE)]


def lines(sim: Simulation, incident: str = "") -> list[str]:
    return [moment.what for key, moment in sim.moments if incident in {"", key}]


def open_incidents(sim: Simulation) -> list[Incident]:
    return [each for each in sim.incidents() if each.phase is not Phase.RESOLVED]


def alerts(sim: Simulation) -> list[Alert]:
    return [each for each in sim.state.tables[Table.ALERT].values() if isinstance(each, Alert)]
