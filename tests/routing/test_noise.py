"""What keeps people from being told too much, told as stories: relations, groups, flapping."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from noise_story import (
    alerts,
    lines,
    off,
    on,
    open_incidents,
    paged,
    policy,
    relation,
    service,
    simulation,
    told,
    updates,
)
from small_policy import HERE, POLICY, START, deploy

from routing.audit import audit
from routing.decision import Table
from routing.entry import Command, SilenceSet, Verb
from routing.incident import Phase
from routing.instant import DAY, HOUR, MINUTE, SECOND
from routing.language import matchers
from routing.policy import Flapping, SeverityRule, Tie
from routing.simulation import Simulation

# ── inhibition ───────────────────────────────────────────────────────────────────────────────────────────

INHIBIT = relation(Tie.INHIBITS, 'kind="major-node"', 'kind="minor-pod"', "cluster")


def test_an_inhibited_alert_is_held_with_its_reason_and_pages_when_the_inhibitor_ends() -> None:
    sim = simulation(policy(INHIBIT))
    sim.feed(on("major-node", cluster="a"))
    sim.feed(on("minor-pod", cluster="a"))
    held = sim.incidents()[1]
    assert (held.silenced_by, held.firing) == ("inhibition/r", 1)
    assert any("inhibition r" in each.what for each in sim.state.timers().values())
    assert len(paged(sim)) == 1
    sim.pass_time(START + 10 * MINUTE)
    sim.feed(off("major-node", sim.now, cluster="a"))
    sim.pass_time(sim.now + SECOND)
    assert "[INC-2]" in paged(sim)[-1]


def test_the_resolve_of_an_inhibited_alert_is_not_lost() -> None:
    sim = simulation(policy(INHIBIT))
    sim.feed(on("major-node", cluster="a"))
    sim.feed(on("minor-pod", cluster="a"))
    sim.feed(off("minor-pod", cluster="a"))
    assert sim.incidents()[1].phase is Phase.RESOLVED
    sim.feed(off("major-node", cluster="a"))
    sim.pass_time(START + HOUR)
    assert not any("[INC-2]" in title for title in paged(sim))


@pytest.mark.parametrize(
    ("source", "target", "inhibited"),
    [
        ({"cluster": "a"}, {"cluster": "a"}, True),
        ({"cluster": "a"}, {"cluster": "b"}, False),
        ({"cluster": "a"}, {}, False),
        ({"cluster": ""}, {}, True),
        ({}, {}, True),
    ],
    ids=["same", "other", "absent-here", "empty-equals-absent", "absent-in-both"],
)
def test_equal_labels_decide_and_an_absent_one_equals_the_empty_one(
    source: dict[str, str], target: dict[str, str], inhibited: bool
) -> None:
    sim = simulation(policy(INHIBIT))
    sim.feed(on("major-node", START, **source))
    sim.feed(on("minor-pod", START, **target))
    assert bool(sim.incidents()[1].silenced_by) is inhibited


def test_an_alert_that_matches_both_sides_is_not_inhibited_by_another_that_does() -> None:
    both = relation(Tie.INHIBITS, 'kind=~"minor.*"', 'kind=~"minor.*|major.*"')
    sim = simulation(policy(both))
    sim.feed(on("minor-a"))
    sim.feed(on("minor-b"))
    assert [each.silenced_by for each in sim.incidents()] == ["", ""]
    sim.feed(on("major-c"))
    assert sim.incidents()[2].silenced_by == "inhibition/r", "it matches the target's side only"


def test_a_silence_set_after_the_page_holds_the_next_step_and_its_end_pages_again() -> None:
    sim = simulation(policy())
    sim.feed(on("minor"))
    silence = SilenceSet(
        at=START, id="s-1", matchers=['kind="minor"'], until_at=START + 2 * HOUR, by="bob", reason="known"
    )
    sim.feed(silence)
    sim.pass_time(START + HOUR)
    assert len(paged(sim)) == 1
    sim.pass_time(START + 2 * HOUR + SECOND)
    assert len(paged(sim)) == 2


def test_a_silence_that_has_ended_is_known_for_five_days_and_holds_nothing() -> None:
    sim = simulation(policy())
    silence = SilenceSet(
        at=START, by="anna", id="s", matchers=['kind="minor-pod"'], from_at=START, until_at=START + HOUR
    )
    sim.feed(silence)
    sim.pass_time(START + HOUR)
    assert sim.state.tables[Table.SILENCE] == {"s": silence}
    sim.feed(on("minor-pod", sim.now))
    sim.pass_time(sim.now + MINUTE)
    assert len(paged(sim)) == 1
    sim.pass_time(START + HOUR + 5 * DAY)
    assert sim.state.tables[Table.SILENCE] == {}
    assert not any(each.subject == "silence:s" for each in sim.state.timers().values())


def test_a_silence_that_is_narrowed_releases_what_it_no_longer_covers() -> None:
    sim = simulation(policy())
    sim.feed(SilenceSet(at=START, id="s-1", matchers=['kind=~"minor.*"'], until_at=START + 2 * HOUR))
    sim.feed(on("minor"))
    assert paged(sim) == []
    sim.feed(SilenceSet(at=START, id="s-1", matchers=['kind="other"'], until_at=START + 2 * HOUR))
    sim.pass_time(START + SECOND)
    assert len(paged(sim)) == 1


# ── one incident, one page ───────────────────────────────────────────────────────────────────────────────

SERVICES = {
    each.name: each
    for each in (
        service("database"), service("api", "database"), service("checkout", "api"),
        service("search", "database"), service("mail"),
    )
}  # fmt: skip
CHAIN = ("database", "api", "checkout")


def test_database_down_api_errors_checkout_failures_are_one_incident_and_one_page() -> None:
    sim = simulation(policy(services=SERVICES))
    for name in CHAIN:
        sim.feed(on("major", sim.now, service=name))
        sim.pass_time(sim.now + MINUTE)
    (incident,) = sim.incidents()
    assert (incident.service, incident.alerts, len(paged(sim))) == ("database", 3, 1)
    found = {each.labels["service"]: each for each in alerts(sim)}
    assert found["checkout"].why == "checkout depends on api"
    assert found["database"].why == ""


@pytest.mark.parametrize("order", list(permutations(CHAIN)), ids=" ".join)
def test_in_whatever_order_they_come_the_incident_is_that_of_the_cause(order: tuple[str, ...]) -> None:
    sim = simulation(policy(services=SERVICES))
    for name in order:
        sim.feed(on("major", sim.now, service=name))
        sim.pass_time(sim.now + 10 * SECOND)
        assert audit(sim.state, sim.now) == []
    (incident,) = sim.incidents()
    assert (incident.service, incident.title, incident.firing) == ("database", "major", 3)
    assert len(paged(sim)) == 1
    groups = sorted(sim.state.open_groups.values())
    assert groups == ["INC-1"] * 3


def test_two_effects_that_were_open_before_their_cause_become_one_incident() -> None:
    sim = simulation(policy(services=SERVICES))
    for name in ("api", "search", "database"):
        sim.feed(on("major", sim.now, service=name))
        sim.pass_time(sim.now + 10 * SECOND)
    first, second = sim.incidents()
    assert (first.service, second.cause, second.silenced_by) == ("database", "INC-1", "cause/INC-1")
    assert second.next_action is not None
    sim.pass_time(START + 40 * MINUTE)
    assert not any("[INC-2]" in title for at, _, title in told(sim) if at > 30), "it waits for its cause"
    assert any("An effect of INC-1" in title for title in updates(sim))


def test_an_effect_that_outlasts_its_cause_is_paged() -> None:
    sim = simulation(policy(services=SERVICES))
    for name in ("api", "search", "database"):
        sim.feed(on("major", sim.now, service=name))
    for name in ("api", "database"):
        sim.feed(off("major", sim.now, service=name))
    assert [each.phase for each in sim.incidents()] == [Phase.RESOLVED, Phase.TRIGGERED]
    before = len(paged(sim))
    sim.pass_time(START + 5 * MINUTE)
    assert len(paged(sim)) == before + 1


def test_a_milder_problem_below_explains_no_worse_one_above() -> None:
    sim = simulation(policy(services=SERVICES))
    sim.feed(on("minor", service="database"))
    sim.feed(on("major", service="api"))
    assert len(sim.incidents()) == 2


def test_what_began_long_before_is_not_the_cause() -> None:
    sim = simulation(policy(services=SERVICES))
    sim.feed(on("major", service="database"))
    sim.pass_time(START + HOUR)
    sim.feed(on("major", sim.now, service="api"))
    assert len(open_incidents(sim)) == 2


def test_the_owner_of_the_cause_is_paged_when_it_is_somebody_else() -> None:
    dba = replace(
        POLICY.route,
        name="dba",
        matchers=matchers.parse_all('service="database"'),
        escalation="room",
        routes=(),
    )
    known = policy(services=SERVICES)
    sim = simulation(replace(known, route=replace(known.route, routes=(dba,))))
    sim.feed(on("major", service="api"))
    sim.feed(on("major", service="database"))
    assert len(sim.incidents()) == 1
    assert [contact for _, contact, _ in told(sim)] == ["anna", "room"]


@pytest.mark.parametrize("first", ["cause", "effect"])
def test_a_rule_correlates_across_sources_in_both_orders(first: str) -> None:
    rule = relation(Tie.CAUSES, 'kind="major-db"', 'kind="major-web"', "cluster", within_ms=10 * MINUTE)
    sim = simulation(policy(rule))
    both = [on("major-db", cluster="a"), on("major-web", cluster="a")]
    for signal in both if first == "cause" else reversed(both):
        sim.feed(signal)
    (incident,) = sim.incidents()
    assert (incident.title, incident.alerts, len(paged(sim))) == ("major-db", 2, 1)
    sim.feed(on("major-web", sim.now, cluster="b", service="other"))
    assert len(sim.incidents()) == 2


def test_a_second_cause_of_the_same_effect_is_a_problem_of_its_own() -> None:
    known = {**SERVICES, "stripe": service("stripe"), "checkout": service("checkout", "api", "stripe")}
    sim = simulation(policy(services=known))
    for name in ("checkout", "database", "stripe"):
        sim.feed(on("major", service=name))
    assert [each.service for each in sim.incidents()] == ["database", "stripe"]
    assert len(paged(sim)) == 2


def test_later_alerts_of_an_effects_group_join_the_cause_too() -> None:
    sim = simulation(policy(services=SERVICES))
    sim.feed(on("major", service="database"))
    sim.feed(on("major", service="api"))
    sim.pass_time(START + HOUR)
    sim.feed(on("major", sim.now, service="api", instance="2"))
    assert len(sim.incidents()) == 1


def test_a_resolved_incident_swallows_nothing() -> None:
    sim = simulation(policy(services=SERVICES))
    sim.feed(on("major", service="database"))
    sim.feed(off("major", service="database"))
    sim.feed(on("major", service="api"))
    assert [each.phase for each in sim.incidents()] == [Phase.RESOLVED, Phase.TRIGGERED]
    assert len(paged(sim)) == 2


def test_an_alert_nobody_silenced_is_paged_although_its_cause_is_silenced() -> None:
    sim = simulation(policy(services=SERVICES))
    sim.feed(SilenceSet(at=START, id="s", matchers=['service="database"'], until_at=START + 2 * HOUR))
    sim.feed(on("major", service="database"))
    assert paged(sim) == []
    sim.feed(on("major", service="api"))
    assert paged(sim) == ["[INC-2] SEV-1 major"]
    assert [(each.service, bool(each.silenced_by)) for each in sim.incidents()] == [
        ("database", True),
        ("api", False),
    ]


def test_an_effect_nobody_silenced_is_paged_once_its_cause_is_silenced() -> None:
    sim = simulation(policy(services=SERVICES))
    for name in ("api", "search", "database"):
        sim.feed(on("major", service=name))
    assert [each.silenced_by for each in sim.incidents()] == ["", "cause/INC-1"]
    before = len(paged(sim))
    muted = ['service=~"database|api"']
    sim.feed(SilenceSet(at=START, id="s", matchers=muted, until_at=START + 9 * HOUR))
    sim.pass_time(START + 5 * MINUTE)
    assert [each.silenced_by for each in sim.incidents()] == ["s", ""]
    assert paged(sim)[before:] == ["[INC-2] SEV-1 major"]


# ── suspects ─────────────────────────────────────────────────────────────────────────────────────────────

DEPLOYS = (
    SeverityRule("deploys", matchers.parse_all('kind="deployment.succeeded"'), HERE, handling="deploy"),
)


def released(at: int, name: str, of: str) -> Any:
    signal = deploy(at, name)
    event = replace_event(signal.event, labels={**signal.event.labels, "project": of, "service": of})
    return type(signal)(at=at, event=event)


def replace_event(event: Any, **changes: Any) -> Any:
    return type(event)(**{**{name: getattr(event, name) for name in event.__struct_fields__}, **changes})


def test_deployments_of_what_it_depends_on_are_suspects_too_the_nearest_first() -> None:
    known = policy(services=SERVICES)
    sim = simulation(replace(known, rules=(*DEPLOYS, *known.rules)))
    for minutes, of in ((0, "checkout"), (5, "database"), (8, "mail")):
        sim.pass_time(START + minutes * MINUTE)
        sim.feed(released(sim.now, f"dpl_{of}", of))
    sim.pass_time(START + 12 * MINUTE)
    sim.feed(on("major", sim.now, service="checkout"))
    (incident,) = sim.incidents()
    assert incident.suspect is not None
    assert [incident.suspect.id, *(each.id for each in incident.suspects)] == ["dpl_checkout", "dpl_database"]
    assert any("12 min after production deploy dpl_checkout" in line for line in lines(sim))


def test_a_deployment_reported_after_the_alert_is_named_after_all() -> None:
    known = policy()
    sim = simulation(replace(known, rules=(*DEPLOYS, *known.rules)))
    sim.feed(on("major", service="site"))
    late = released(START + 3 * MINUTE, "dpl_late", "site")
    sim.pass_time(START + 3 * MINUTE)
    sim.feed(type(late)(at=sim.now, event=replace_event(late.event, starts_at=START - MINUTE)))
    (incident,) = sim.incidents()
    assert incident.suspect is not None
    assert incident.suspect.id == "dpl_late"


# ── flapping ─────────────────────────────────────────────────────────────────────────────────────────────

FLAPPING = {"flapping": Flapping(changes=4, within_ms=10 * MINUTE, steady_ms=15 * MINUTE)}


def flap(sim: Simulation, times: int, every: int = 30 * SECOND) -> None:
    """Begin and cease to fire by turns."""
    for n in range(times):
        sim.feed((on if n % 2 == 0 else off)("major", sim.now))
        sim.pass_time(sim.now + every)
        assert audit(sim.state, sim.now) == []


def test_a_flapping_alert_is_held_told_once_and_pages_no_more() -> None:
    sim = simulation(policy(noise=FLAPPING))
    flap(sim, 4)
    (incident,) = sim.incidents()
    assert (incident.phase, incident.flapping, incident.firing) == (Phase.TRIGGERED, 1, 0)
    before = len(paged(sim))
    assert [line for line in lines(sim) if "is flapping" in line] == [
        "major is flapping; it stays open until it was steady for 15m"
    ]
    sim.feed(Command(at=sim.now, incident="INC-1", verb=Verb.ACK, by="anna"))
    flap(sim, 10)
    assert len(paged(sim)) == before
    assert len([title for title in updates(sim) if "is flapping" in title]) == 1


def test_it_is_released_after_it_was_steady_and_the_resolve_reaches_who_was_paged() -> None:
    sim = simulation(policy(noise=FLAPPING))
    flap(sim, 4)
    sim.pass_time(sim.now + 14 * MINUTE)
    assert sim.incidents()[0].phase is Phase.TRIGGERED
    sim.pass_time(sim.now + 2 * MINUTE)
    assert sim.incidents()[0].phase is Phase.RESOLVED
    assert "Resolved: major" in updates(sim)[-1]


def test_an_alert_that_goes_on_firing_steadily_is_an_ordinary_one_again() -> None:
    sim = simulation(policy(noise=FLAPPING))
    flap(sim, 5)
    sim.pass_time(sim.now + 16 * MINUTE)
    (incident,) = sim.incidents()
    assert (incident.phase, incident.flapping, incident.firing) == (Phase.TRIGGERED, 0, 1)
    sim.feed(off("major", sim.now))
    assert sim.incidents()[0].phase is Phase.RESOLVED


def test_what_a_person_does_passes_at_once() -> None:
    sim = simulation(policy(noise=FLAPPING))
    flap(sim, 4)
    sim.feed(Command(at=sim.now, incident="INC-1", verb=Verb.RESOLVE, by="anna"))
    assert sim.incidents()[0].phase is Phase.RESOLVED
    assert "Resolved: major" in updates(sim)[-1]


def test_slow_changes_are_no_flapping() -> None:
    sim = simulation(policy(noise=FLAPPING))
    flap(sim, 8, every=6 * MINUTE)
    assert sim.incidents()[-1].phase is Phase.RESOLVED
    assert not any("flapping" in line for line in lines(sim))


def test_repeats_are_no_changes() -> None:
    sim = simulation(policy(noise=FLAPPING))
    for _ in range(20):
        sim.feed(on("major", sim.now))
    assert (alerts(sim)[0].flapping, alerts(sim)[0].changes, alerts(sim)[0].count) == (False, [], 20)
