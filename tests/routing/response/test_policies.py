"""Escalation policies: whom a step means, when it is passed over, what it waits for."""

from dataclasses import replace

import pytest
from small_policy import HERE, POLICY, START, World, firing
from telling import deliveries, do, ladder, lines, only, paged, pages, simulate, step

from routing.calendar.hours import Hours, Span
from routing.entry import OverrideSet, Verb
from routing.escalation import Delay, When
from routing.incident import Phase
from routing.instant import DAY, HOUR, MINUTE, SECOND, parse_iso
from routing.policy import Team

WORKING = Hours("working", "Europe/Warsaw", (Span(frozenset(range(5)), 540, 1020),), frozenset(), HERE)
TEAM = Team("web", ("anna", "bob"), HERE)
NIGHT = parse_iso("2025-11-25T02:30+01:00")
MORNING = parse_iso("2025-11-25T09:00+01:00")


@pytest.mark.parametrize(
    ("target", "who"),
    [
        (("contact", "bob"), ["bob"]),
        (("team", "web"), ["anna", "bob"]),
        (("schedule", "primary"), ["anna"]),
        (("next", "primary"), ["carol"]),
        (("previous", "primary"), ["carol"]),
        (("channel", "mail:room@example.com"), ["mail:room@example.com"]),
    ],
)
def test_a_step_calls_whom_its_target_means_now(target: tuple[str, str], who: list[str]) -> None:
    sim = simulate(ladder(step(target), teams={"web": TEAM}))
    sim.feed(firing("worse"))
    assert paged(sim) == who


def test_who_is_next_is_somebody_else_even_when_an_override_gives_one_person_two_shifts() -> None:
    sim = simulate(ladder(step(("next", "primary"))))
    sim.feed(
        OverrideSet(
            at=START, id="o", schedule="primary", contact="anna", from_at=START, until_at=START + 8 * DAY
        )
    )
    sim.feed(firing("worse"))
    assert paged(sim) == ["carol"]


def test_a_place_on_a_channel_hears_of_the_end_like_everyone_who_was_paged() -> None:
    sim = simulate(ladder(step(("channel", "mail:room@example.com"))))
    sim.feed(firing("worse"))
    do(sim, Verb.RESOLVE)
    assert [each.address for each in deliveries(sim)] == ["room@example.com"] * 2


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (When(severities=[1]), ["bob"]),
        (When(severities=[0]), ["carol"]),
        (When(severities=[0], negate=True), ["bob"]),
        (When(services=["site"]), ["bob"]),
        (When(services=["checkout"]), ["carol"]),
        (When(teams=["platform"]), ["bob"]),
        (When(during="working"), ["carol"]),
        (When(outside="working"), ["bob"]),
        (When(during="gone"), ["carol"]),
        (When(match=['kind="worse"']), ["bob"]),
        (When(match=['kind="other"']), ["carol"]),
    ],
)
def test_a_step_is_passed_over_unless_its_condition_holds(when: When, expected: list[str]) -> None:
    policy = ladder(
        step(("contact", "bob"), when=(when,)), step(("contact", "carol")), hours={"working": WORKING}
    )
    sim = simulate(policy, at=NIGHT)
    sim.feed(firing("worse", at=NIGHT))
    assert paged(sim) == expected
    if expected == ["carol"]:
        assert "step 1 of oncall passed over" in lines(sim)


def test_when_no_step_is_for_it_the_last_resort_is_called_at_once() -> None:
    sim = simulate(ladder(step(("contact", "bob"), when=(When(severities=[0]),))))
    sim.feed(firing("worse"))
    assert paged(sim) == ["cto"]


def test_a_low_severity_waits_for_working_hours_and_says_so() -> None:
    policy = ladder(
        step(("contact", "bob"), delay=Delay(hours="working", severities=[3, 4])), hours={"working": WORKING}
    )
    sim = simulate(policy, at=NIGHT)
    sim.feed(firing("deployment.error", at=NIGHT))
    assert pages(sim) == []
    action = only(sim).next_action
    assert action is not None
    assert (action.at, action.what) == (MORNING, "page when working begin")
    sim.pass_time(MORNING)
    assert paged(sim) == ["bob"]


def test_a_high_severity_does_not_wait_and_one_that_gets_worse_waits_no_longer() -> None:
    policy = ladder(
        step(("contact", "bob"), delay=Delay(hours="working", severities=[3, 4])), hours={"working": WORKING}
    )
    policy = replace(policy, route=replace(policy.route, group_by=()))
    sim = simulate(policy, at=NIGHT)
    sim.feed(firing("deployment.error", at=NIGHT))
    assert pages(sim) == []
    sim.feed(firing("worse", at=NIGHT, key="other"))
    assert paged(sim) == ["bob"]


@pytest.mark.parametrize("hours", [{}, {"working": replace(WORKING, spans=())}])
def test_hours_that_never_come_keep_nobody_from_being_told(hours: dict[str, Hours]) -> None:
    policy = ladder(step(("contact", "bob"), delay=Delay(hours="working", severities=[3])), hours=hours)
    sim = simulate(policy, at=NIGHT)
    sim.feed(firing("deployment.error", at=NIGHT))
    assert paged(sim) == ["bob"]


def test_a_person_who_escalates_does_not_wait_for_hours() -> None:
    policy = ladder(
        step(("contact", "bob"), delay=Delay(hours="working", severities=[3])), hours={"working": WORKING}
    )
    sim = simulate(policy, at=NIGHT)
    sim.feed(firing("deployment.error", at=NIGHT))
    do(sim, Verb.ESCALATE)
    assert paged(sim) == ["bob"]


def test_a_step_that_wants_all_is_over_only_when_all_have_acknowledged() -> None:
    sim = simulate(
        ladder(step(("team", "web"), until="all"), step(("contact", "carol")), teams={"web": TEAM})
    )
    sim.feed(firing("worse"))
    sim.pass_time(START + SECOND)
    do(sim, Verb.ACK, by="anna")
    assert only(sim).phase is Phase.TRIGGERED
    assert any("still wanted: bob" in line for line in lines(sim))
    do(sim, Verb.ACK, by="bob")
    assert (only(sim).phase, only(sim).acknowledged_by) == (Phase.ACKNOWLEDGED, "anna, bob")
    sim.pass_time(START + 10 * MINUTE)
    assert paged(sim) == ["anna", "bob"]


def test_a_step_that_wants_all_goes_on_when_one_is_missing_and_leaves_alone_who_answered() -> None:
    policy = ladder(step(("team", "web"), until="all"), repeat=1, teams={"web": TEAM})
    sim = simulate(policy)
    sim.feed(firing("worse"))
    do(sim, Verb.ACK, by="anna")
    sim.pass_time(START + 6 * MINUTE)
    assert paged(sim) == ["anna", "bob", "bob"]


def test_an_outsider_cannot_acknowledge_for_those_a_step_wants() -> None:
    sim = simulate(ladder(step(("team", "web"), until="all"), teams={"web": TEAM}))
    sim.feed(firing("worse"))
    do(sim, Verb.ACK, by="carol")
    assert only(sim).phase is Phase.TRIGGERED
    assert any(
        "carol acknowledged via the command line; the step still wants it of anna, bob" in line
        for line in lines(sim)
    )


def test_an_escalation_under_way_keeps_its_steps_and_looks_up_anew_whom_they_mean() -> None:
    sim = simulate(ladder(step(("contact", "bob")), step(("team", "web")), teams={"web": TEAM}))
    sim.feed(firing("worse"))
    sim.policy = ladder(step(("contact", "cto")), teams={"web": Team("web", ("carol",), HERE)})
    sim.pass_time(START + 6 * MINUTE)
    assert paged(sim) == ["bob", "carol"]


def test_a_team_that_is_gone_is_said_and_passed_over_without_waiting() -> None:
    sim = simulate(ladder(step(("team", "web")), step(("contact", "bob"))))
    sim.feed(firing("worse"))
    assert paged(sim) == ["bob"]
    assert "team web is no longer configured" in lines(sim)


def test_nobody_answers_and_everybody_is_asked_again_before_the_last_resort() -> None:
    sim = simulate(ladder(step(("contact", "anna")), step(("contact", "bob")), repeat=1), World())
    sim.feed(firing("worse"))
    sim.pass_time(START + HOUR)
    assert paged(sim)[:5] == ["anna", "bob", "anna", "bob", "cto"]
    assert POLICY.last_resort == "cto"
