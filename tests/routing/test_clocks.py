"""The clocks of an incident: warned of, run out, and what a silence, an answer or another severity makes of them."""

from dataclasses import replace

import pytest
import shipped
from small_policy import HERE, POLICY, ROLLBACK, START, World, firing

from routing.calendar.sprints import Sprints
from routing.decision import Table
from routing.delivery import Purpose
from routing.effect import Deliver
from routing.entry import Command, SilenceSet, TimerDue, Verb
from routing.incident import Incident, Phase
from routing.instant import DAY, HOUR, MINUTE, SECOND, iso
from routing.policy import EscalationPolicy, Policy
from routing.severity import Severity
from routing.simulation import Simulation
from routing.timer import Timer, Wake

ONE_STEP = replace(
    POLICY,
    runbooks=(),
    escalations={
        **POLICY.escalations,
        "oncall": replace(
            POLICY.escalations["oncall"],
            steps=tuple(replace(step, wait_ms=DAY) for step in POLICY.escalations["oncall"].steps),
        ),
    },
)
"""A policy whose steps wait so long that only the clocks bring the next."""


def sim(policy: Policy = ONE_STEP) -> Simulation:
    return Simulation(policy, START, World())


def told(found: Simulation, purpose: Purpose) -> list[tuple[int, str]]:
    """Minute and contact of each message, once."""
    sent = [
        ((at - START) // MINUTE, effect.contact)
        for at, effect in found.effects
        if isinstance(effect, Deliver) and effect.purpose is purpose
    ]
    return list(dict.fromkeys(sent))


def lines(found: Simulation) -> list[str]:
    return [moment.what for _, moment in found.moments]


def only(found: Simulation) -> Incident:
    (incident,) = found.incidents()
    return incident


def ack(found: Simulation, by: str = "anna") -> None:
    found.feed(Command(at=found.now, by=by, incident=only(found).id, verb=Verb.ACK))


def test_who_was_paged_is_warned_and_named_and_the_next_is_called_when_nobody_answers() -> None:
    found = sim()
    found.feed(firing("api-broken"))  # SEV-1: an answer within 15 minutes
    found.pass_time(START + 12 * MINUTE - 1)
    assert told(found, Purpose.UPDATE) == []
    found.pass_time(START + 12 * MINUTE)
    assert told(found, Purpose.UPDATE) == [(12, "anna")]
    assert "3m left until it should be acknowledged; told Anna" in lines(found)
    assert told(found, Purpose.PAGE) == [(0, "anna")]
    found.pass_time(START + 15 * MINUTE)
    assert told(found, Purpose.PAGE) == [(0, "anna"), (15, "bob")]
    assert "not acknowledged by its time: Anna did not" in lines(found)


def test_the_reason_names_the_promise_and_its_line() -> None:
    found = sim(shipped.policy())
    found.feed(firing("api-broken"))
    found.pass_time(START + 4 * HOUR)
    (moment,) = [moment for _, moment in found.moments if moment.what.startswith("not acknowledged")]
    line = shipped.line_of("tocsin.yaml", "SEV-2:")
    assert str(moment.reasons[0]).endswith(f"(SEV-2, config/tocsin.yaml:{line})")


def test_an_answer_stops_the_first_clock_and_its_holder_is_warned_of_the_second() -> None:
    found = sim()
    found.feed(firing("api-broken"))
    found.pass_time(START + MINUTE)
    ack(found)
    next_action = only(found).next_action
    assert next_action is not None
    found.pass_time(START + 16 * MINUTE)
    assert not [line for line in lines(found) if "acknowledged by its time" in line]
    policy = replace(ONE_STEP.levels[Severity.SEV1], ack_expires_ms=None)
    found = sim(replace(ONE_STEP, levels={**ONE_STEP.levels, Severity.SEV1: policy}))
    found.feed(firing("api-broken"))
    ack(found, "carol")
    found.pass_time(START + 4 * HOUR * 80 // 100)
    assert told(found, Purpose.UPDATE)[-1] == (192, "carol")
    assert lines(found)[-1] == "48m left until it should be resolved; told Carol"
    found.pass_time(START + 4 * HOUR)
    assert only(found).phase is Phase.TRIGGERED
    assert told(found, Purpose.PAGE)[-1] == (240, "anna")


@pytest.mark.parametrize("severity", list(Severity))
def test_each_severity_is_warned_before_either_clock_runs_out_and_escalates_when_it_does(
    severity: Severity,
) -> None:
    levels = {key: replace(level, ack_expires_ms=None) for key, level in POLICY.levels.items()}
    levels[Severity.SEV4] = replace(levels[Severity.SEV4], resolve_ms=6 * DAY)
    policy = replace(
        ONE_STEP, rules=(replace(POLICY.rules[1], severity=severity),), levels=levels,
        escalations={**ONE_STEP.escalations, "oncall": patient(ONE_STEP.escalations["oncall"])},
        route=replace(POLICY.route, routes=(), inform=()),
    )  # fmt: skip
    respond, resolve = levels[severity].respond_ms, levels[severity].resolve_ms or 0
    found = sim(policy)
    found.feed(firing("worse"))
    found.pass_time(START + respond * 80 // 100)
    assert told(found, Purpose.UPDATE) == [(respond * 80 // 100 // MINUTE, "anna")]
    assert told(found, Purpose.PAGE) == [(0, "anna")]
    found.pass_time(START + respond)
    assert told(found, Purpose.PAGE) == [(0, "anna"), (respond // MINUTE, "bob")]
    ack(found, "carol")
    found.pass_time(START + resolve * 80 // 100)
    assert told(found, Purpose.UPDATE)[-1] == (resolve * 80 // 100 // MINUTE, "carol")
    assert "left until it should be resolved; told Carol" in lines(found)[-1]
    found.pass_time(START + resolve)
    assert only(found).phase is Phase.TRIGGERED
    assert told(found, Purpose.PAGE)[-1] == (resolve // MINUTE, "anna")


def patient(policy: EscalationPolicy) -> EscalationPolicy:
    """Its steps wait longer than any clock."""
    return replace(policy, steps=tuple(replace(step, wait_ms=30 * DAY) for step in policy.steps))


@pytest.mark.parametrize(("percent", "minute"), [(50, 7), (80, 12), (99, 14)])
def test_how_early_it_is_warned_of_is_a_setting(percent: int, minute: int) -> None:
    found = sim(replace(ONE_STEP, warn_percent=percent))
    found.feed(firing("api-broken"))
    found.pass_time(START + 14 * MINUTE + 59 * SECOND)
    assert told(found, Purpose.UPDATE) == [(minute, "anna")]


def test_an_escalation_that_has_just_paged_is_not_hurried() -> None:
    found = sim(replace(POLICY, runbooks=()))  # steps wait 5 minutes, and SEV-0 promises an answer within 5
    found.feed(firing("site-down"))
    found.pass_time(START + 6 * MINUTE)
    assert told(found, Purpose.PAGE) == [(0, "anna"), (5, "bob")]
    assert "not acknowledged by its time: Anna did not" in lines(found)


def test_a_silence_holds_the_clock_back_and_a_resolve_ends_it() -> None:
    found = sim()
    found.feed(SilenceSet(at=START, id="s", matchers=["kind=api-broken"], until_at=START + HOUR))
    found.feed(firing("api-broken"))
    found.pass_time(START + 74 * MINUTE)
    assert told(found, Purpose.PAGE) == [(60, "anna")]
    assert not [line for line in lines(found) if "not acknowledged" in line]
    found.pass_time(START + 75 * MINUTE)
    assert told(found, Purpose.PAGE) == [(60, "anna"), (75, "bob")]
    found.feed(Command(at=found.now, incident="INC-1", verb=Verb.RESOLVE))
    assert not [key for key in found.state.timers() if key.startswith("clock:")]


def test_what_is_held_back_says_what_ends_that_and_not_a_warning_nobody_gets() -> None:
    found = sim()
    found.feed(SilenceSet(at=START, id="s", matchers=["kind=api-broken"], until_at=START + HOUR))
    found.feed(firing("api-broken"))
    action = only(found).next_action
    assert action is not None
    assert (action.at, action.what) == (START + HOUR, "page when silence s ends")
    found.pass_time(START + 13 * MINUTE)
    assert only(found).next_action == action
    found.pass_time(START + 15 * MINUTE)
    assert "the time to respond begins when silence s holds it no longer" in lines(found)
    assert only(found).next_action == action


def test_a_repair_that_takes_longer_than_the_answer_may_is_not_waited_for() -> None:
    slow = replace(POLICY.levels[Severity.SEV1], hold_ms=HOUR)
    world = World()
    world.asleep = {"vercel.rollback"}
    patient = replace(ROLLBACK, timeout_ms=2 * HOUR)
    levels = {**POLICY.levels, Severity.SEV1: slow}
    found = Simulation(replace(POLICY, levels=levels, runbooks=(patient,)), START, world)
    found.feed(firing("api-broken"))
    found.pass_time(START + 15 * MINUTE)
    assert "not acknowledged by its time: nobody was paged" in lines(found)
    assert told(found, Purpose.PAGE) == [(15, "anna")]


@pytest.mark.parametrize(
    ("sprints", "by"), [(1, "2025-12-04T23:00:00.000Z"), (2, "2025-12-18T23:00:00.000Z"), (0, "")]
)
def test_the_mildest_is_resolved_by_the_end_of_a_sprint(sprints: int, by: str) -> None:
    level = replace(POLICY.levels[Severity.SEV4], resolve_sprints=sprints)
    found = sim(
        replace(
            ONE_STEP, levels={**POLICY.levels, Severity.SEV4: level}, default_severity=Severity.SEV4,
            sprints=Sprints("2025-11-07", 14, "Europe/Warsaw", HERE),
        )
    )  # fmt: skip
    found.feed(firing("cosmetic"))
    assert (iso(only(found).resolve_by) if by else only(found).resolve_by) == (by or 0)


def test_the_shipped_clocks_are_those_of_the_operational_runbooks() -> None:
    policy = shipped.policy()
    assert policy.levels[Severity.SEV4].resolve_sprints == 2
    assert policy.warn_percent == 80


def test_the_timer_of_an_earlier_release_still_escalates() -> None:
    found = sim()
    found.feed(firing("api-broken"))
    incident = only(found)
    timer = Timer(
        id=f"resolve_by:{incident.id}", wake=Wake.RESOLVE_BY, subject=incident.id, at=START + 2 * HOUR,
        incident=incident.id,
    )  # fmt: skip
    found.state.tables[Table.TIMER][timer.id] = timer
    found.now = START + 2 * HOUR
    found.feed(TimerDue(at=found.now, timer=timer.id, due_at=timer.at))
    assert "not resolved by its time" in lines(found)


def test_a_clock_that_is_found_late_is_not_skipped() -> None:
    found = sim()
    found.feed(firing("api-broken"))
    found.now = START + 20 * MINUTE  # nobody decided anything for twenty minutes
    found.pass_time(found.now)
    assert "not acknowledged by its time: Anna did not" in lines(found)
    assert not [line for line in lines(found) if "left until" in line]
