"""A policy with a status page and an audience, and what was said there."""

from dataclasses import replace
from typing import Any

from small_policy import HERE, POLICY, START, World, firing

from routing.decision import Table
from routing.delivery import Purpose
from routing.effect import Deliver
from routing.entry import Published
from routing.instant import DAY, HOUR, MINUTE
from routing.policy import Audience, Channel, Policy, Process, Role, StatusPage
from routing.public import Public, Said
from routing.schema.status_page import HEADING, TEXTS
from routing.severity import Severity
from routing.simulation import Simulation

PAGE = StatusPage(
    title="Shop status",
    components={"site": "Website", "checkout": "Payments"},
    severities=(Severity.SEV0, Severity.SEV1),
    update_ms=30 * MINUTE,
    update_from="speaker",
    history_ms=90 * DAY,
    per_hour=3,
    texts=TEXTS,
    heading=HEADING,
    timezone="Europe/Warsaw",
    url="https://status.shop.example",
    places=(("channel", "page:abc"),),
    origin=HERE,
)
MANAGEMENT = Audience(
    "management", (Severity.SEV0,), (("contact", "cto"),), frozenset({"opened", "updates", "resolved"}), HERE
)
PROCESS = Process(
    severities=(Severity.SEV0, Severity.SEV1),
    assessment_ms=15 * MINUTE,
    coordination_ms=HOUR,
    recovery_ms=HOUR,
    roles=(Role("speaker", (), ("contact", "carol"), HERE),),
    update_ms=DAY,
    update_from="speaker",
    postmortem_ms=3 * DAY,
    postmortem_hours="",
    origin=HERE,
    audiences=(MANAGEMENT,),
    status_page=PAGE,
)


def policy(*, conducted: bool = True, **page: Any) -> Policy:
    """Without runbooks; `conducted` False: no incident goes through the phases of the process."""
    process = replace(PROCESS, status_page=replace(PAGE, **page))
    if not conducted:
        process = replace(process, severities=())
    channels = {**POLICY.channels, "page": Channel("page", "statuspage", {}, HERE)}
    return replace(POLICY, runbooks=(), process=process, channels=channels)


def trouble(rules: Policy | None = None, kind: str = "site-down", world: World | None = None) -> Simulation:
    """An incident of the website, just paged for."""
    sim = Simulation(rules or policy(), START, world or World())
    sim.feed(firing(kind, summary="10.0.0.7 leaks"))
    sim.pass_time(START + MINUTE)
    return sim


def publish(sim: Simulation, said: Said, text: str = "", **more: Any) -> None:
    sim.feed(
        Published(
            at=sim.now, by="press", incident=more.pop("incident", "INC-1"), said=said, text=text, **more
        )
    )


def public(sim: Simulation, incident: str = "INC-1") -> Public:
    found = sim.state.get(Table.PUBLIC, incident)
    assert isinstance(found, Public)
    return found


def words(sim: Simulation) -> list[tuple[str, str]]:
    """(state, who said it) of all of INC-1."""
    return [(each.said.value, each.by) for each in public(sim).words]


def to_pages(sim: Simulation) -> list[tuple[str, str, str]]:
    """What left for the pages of others: place, title, text."""
    return [
        (f"{each.channel}:{each.address}", each.message.title, each.message.body)
        for _, each in sim.effects
        if isinstance(each, Deliver) and each.purpose is Purpose.PUBLIC
    ]
