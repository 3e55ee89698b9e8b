"""Where two things meet: a repair and a resolve, a silence and another alert, a rail and the breaker."""

from dataclasses import replace

import pytest
from small_policy import POLICY, START, World, firing, resolved

from routing.audit import audit
from routing.decision import Table, Withdraw
from routing.delivery import Purpose
from routing.effect import AnyEffect, Deliver, Step
from routing.entry import (
    Answer,
    AnyEntry,
    Claimed,
    Command,
    Delivered,
    Outcome,
    Revived,
    SilenceSet,
    StepDone,
    SwitchSet,
    Verb,
)
from routing.event import Event, Status
from routing.incident import Incident
from routing.instant import HOUR, MINUTE, SECOND
from routing.run import Run, RunPhase, TargetRecord
from routing.simulation import Simulation


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def sim(world: World) -> Simulation:
    return Simulation(POLICY, START, world)


def only(sim: Simulation) -> Incident:
    (incident,) = sim.incidents()
    return incident


def run_of(sim: Simulation, name: str = "INC-1-r1") -> Run:
    found = sim.state.get(Table.RUN, name)
    assert isinstance(found, Run)
    return found


def target(sim: Simulation) -> TargetRecord:
    found = sim.state.get(Table.TARGET, "rollback@vercel:site")
    assert isinstance(found, TargetRecord)
    return found


def pages(sim: Simulation) -> list[Deliver]:
    return [each for _, each in sim.effects if isinstance(each, Deliver) and each.purpose is Purpose.PAGE]


def steps(sim: Simulation) -> list[str]:
    return [each.step for _, each in sim.effects if isinstance(each, Step)]


def test_what_a_repair_leaves_to_do_is_owed_although_the_sender_saw_the_end_first(
    sim: Simulation, world: World
) -> None:
    """The site is up again while the repair is still being verified, and the sender says so."""
    sim.feed(firing("api-broken", starts_at=START))
    sim.pass_time(START + 20 * SECOND)
    assert (world.rolled_back, run_of(sim).phase) == (1, RunPhase.VERIFY)
    sim.feed(resolved("api-broken", at=sim.now, ends_at=sim.now))
    assert [each.text for each in only(sim).followups] == ["promote a fixed deployment again"]


def test_a_run_that_changed_nothing_owes_nothing(sim: Simulation, world: World) -> None:
    world.asleep = {"vercel.deployments"}
    sim.feed(firing("api-broken", starts_at=START))
    sim.pass_time(START + 2 * SECOND)
    sim.feed(resolved("api-broken", at=sim.now, ends_at=sim.now))
    assert only(sim).followups == []


def test_a_probe_that_is_stopped_frees_the_breaker_for_the_next(sim: Simulation, world: World) -> None:
    opened = TargetRecord(
        key="rollback@vercel:site", started=[START - 3 * HOUR], failures=2, open_until=START - 1
    )
    sim.state.tables[Table.TARGET][opened.key] = opened
    world.asleep = {"vercel.deployments"}
    sim.feed(firing("api-broken", starts_at=START))
    sim.pass_time(START + SECOND)
    assert target(sim).probing == "INC-1-r1"
    sim.feed(resolved("api-broken", at=sim.now, ends_at=sim.now))
    assert target(sim).probing == ""


def test_a_step_a_guard_rail_refused_is_no_failed_repair(sim: Simulation, world: World) -> None:
    world.refuses = {"vercel.rollback": Outcome.REFUSED}
    sim.feed(firing("api-broken"))
    sim.pass_time(START + 2 * SECOND)
    assert run_of(sim).phase is RunPhase.REFUSED
    assert target(sim).failures == 0
    assert pages(sim), "refused or failed, the page goes out"


@pytest.mark.parametrize(
    ("times", "phase"), [(1, RunPhase.SUCCEEDED), (2, RunPhase.SUCCEEDED), (3, RunPhase.REFUSED)]
)
def test_a_run_whose_target_another_has_had_looks_again_and_asks_its_guards_again(
    world: World, times: int, phase: RunPhase
) -> None:
    left = [True] * times

    def script(effect: AnyEffect, now: int) -> list[tuple[int, AnyEntry]]:
        if isinstance(effect, Step) and effect.mutates and left:
            left.pop()
            stale = StepDone(at=now, run=effect.run, step=effect.step, attempt=effect.attempt,
                             outcome=Outcome.REFUSED, error="INC-7-r1 had it", stale=True)  # fmt: skip
            return [(30, stale)]
        return world(effect, now)

    sim = Simulation(POLICY, START, script)
    sim.feed(firing("api-broken"))
    sim.pass_time(START + 4 * MINUTE)
    look = ["health", "deployments", "rollback"]
    assert steps(sim)[: 3 * min(times + 1, 3)] == look * min(times + 1, 3)
    assert (run_of(sim).phase, world.rolled_back) == (phase, int(phase is RunPhase.SUCCEEDED))
    assert target(sim).failures == 0
    last = [each for _, each in sim.effects if isinstance(each, Step) and each.mutates][-1]
    assert last.looked_at == next(step.began_at for step in run_of(sim).steps if step.id == "health")


def test_what_has_mended_itself_by_then_is_left_alone(world: World) -> None:
    def script(effect: AnyEffect, now: int) -> list[tuple[int, AnyEntry]]:
        if isinstance(effect, Step) and effect.mutates:
            world.health_failures = 0
            stale = StepDone(at=now, run=effect.run, step=effect.step, attempt=effect.attempt,
                             outcome=Outcome.REFUSED, error="INC-7-r1 had it", stale=True)  # fmt: skip
            return [(30, stale)]
        return world(effect, now)

    sim = Simulation(POLICY, START, script)
    sim.feed(firing("api-broken"))
    sim.pass_time(START + 4 * MINUTE)
    assert (run_of(sim).phase, world.rolled_back) == (RunPhase.STOPPED, 0)
    assert "the site must be failing" in run_of(sim).why


@pytest.mark.parametrize("how", ["asleep", "dead"])
@pytest.mark.parametrize("action", ["http.probe", "vercel.deployments", "vercel.rollback"])
@pytest.mark.parametrize(("kind", "hold"), [("site-down", 0), ("api-broken", 5 * MINUTE)])
def test_a_run_that_cannot_go_on_pages_in_time_and_changes_nothing_twice(
    sim: Simulation, world: World, kind: str, hold: int, action: str, how: str
) -> None:
    """Nobody takes its step, or whoever takes it dies over it, again and again."""
    setattr(world, how, {action})
    sim.feed(firing(kind))
    sim.pass_time(START + hold + SECOND)
    assert pages(sim)
    assert only(sim).held_until == 0
    sim.pass_time(START + HOUR)
    assert run_of(sim).phase is RunPhase.FAILED
    assert world.rolled_back <= 1
    assert audit(sim.state, sim.now) == []


def test_a_worse_alert_that_joins_is_repaired_too(sim: Simulation, world: World) -> None:
    sim.feed(firing("degraded", labels={"service": "site"}))
    assert steps(sim) == []
    grouped = replace(POLICY.route, group_by=(), routes=())
    sim = Simulation(replace(POLICY, route=grouped), START, world)
    sim.feed(firing("degraded"))
    assert steps(sim) == []
    sim.feed(firing("site-down", key="other"))
    sim.pass_time(START + 3 * MINUTE)
    assert len(sim.incidents()) == 1
    assert world.rolled_back == 1


def test_an_alert_nobody_silenced_pages_although_it_joins_a_silenced_incident(sim: Simulation) -> None:
    sim.feed(SilenceSet(at=START, id="s-1", matchers=['kind="worse"'], until_at=START + 48 * HOUR))
    sim.feed(firing("worse"))
    assert pages(sim) == []
    world_major = firing("api-broken", key="other")
    sim.feed(world_major)
    sim.pass_time(START + 10 * MINUTE)
    assert len(sim.incidents()) == 1
    assert pages(sim) or steps(sim), "neither repaired nor told for two days"


def test_a_silenced_alert_that_joins_a_silenced_incident_stays_silent(sim: Simulation) -> None:
    sim.feed(SilenceSet(at=START, id="s-1", matchers=['kind="worse"'], until_at=START + HOUR))
    sim.feed(firing("worse"))
    sim.feed(firing("worse", key="other"))
    sim.pass_time(START + 30 * MINUTE)
    assert pages(sim) == []


def test_a_rule_that_says_alert_opens_for_what_neither_fires_nor_resolves(sim: Simulation) -> None:
    event = Event(
        source="am", vendor="vercel", kind="worse", status=Status.INFO, key="k", title="Release was aborted"
    )
    signal = firing("worse")
    sim.feed(type(signal)(at=START, event=event))
    assert only(sim).title == "Release was aborted"


def test_a_runbook_is_not_run_again_for_what_is_resolved(sim: Simulation, world: World) -> None:
    world.refuses = {"vercel.rollback": Outcome.PERMANENT}
    sim.feed(firing("api-broken", starts_at=START))
    sim.pass_time(START + 2 * SECOND)
    sim.feed(resolved("api-broken", at=sim.now, ends_at=sim.now))
    sim.pass_time(START + HOUR)
    before = steps(sim)
    sim.feed(Revived(at=sim.now, by="ben", dead="dl-1", subject="INC-1-r1"))
    assert steps(sim) == before
    assert any("resolved" in moment.what and "ben" in moment.what for _, moment in sim.moments)


def test_a_retry_means_the_work_however_a_crashed_job_was_described(sim: Simulation, world: World) -> None:
    """What crashed is buried by the description of its job: it begins with the id of the effect."""
    world.health_failures = 0
    world.asleep = {"voice"}
    sim.feed(firing("worse"))
    sim.feed(Revived(at=sim.now, by="ben", dead="dl-1", subject="INC-1-d1 attempt 1"))
    assert any(moment.what == "INC-1-d1 retried by ben" for _, moment in sim.moments)


def test_a_page_that_arrived_meanwhile_is_not_sent_again_by_a_second_retry(
    sim: Simulation, world: World
) -> None:
    world.refuses = {"voice": Outcome.PERMANENT}
    sim.feed(firing("site-down"))
    sim.pass_time(START + 10 * SECOND)
    world.refuses = {}
    for _ in range(2):
        sim.feed(Revived(at=sim.now, by="ben", dead="dl-1", subject="INC-1-d1"))
        sim.pass_time(sim.now + 10 * SECOND)
    attempts = [
        each.attempt for _, each in sim.effects if isinstance(each, Deliver) and each.id == "INC-1-d1"
    ]
    assert attempts[-1] == 2
    assert attempts.count(2) == 1
    assert any("INC-1-d1; it was sent meanwhile" in moment.what for _, moment in sim.moments)


def test_a_page_of_what_is_resolved_rings_nobody_by_a_retry(sim: Simulation, world: World) -> None:
    world.refuses = {"voice": Outcome.PERMANENT}
    sim.feed(firing("site-down"))
    sim.pass_time(START + 10 * SECOND)
    sim.feed(Command(at=sim.now, by="ben", incident="INC-1", verb=Verb.RESOLVE))
    sim.pass_time(sim.now + SECOND)
    before = len(sim.effects)
    sim.feed(Revived(at=sim.now, by="ben", dead="dl-1", subject="INC-1-d1"))
    assert len(sim.effects) == before


def test_a_page_whose_worker_crashed_is_retried_as_a_repeat(sim: Simulation, world: World) -> None:
    world.dead = {"voice"}
    sim.feed(firing("site-down"))
    sim.pass_time(START + SECOND)
    sim.feed(Revived(at=sim.now, by="ben", dead="dl-1", subject="INC-1-d1"))
    again = [each for _, each in sim.effects if isinstance(each, Deliver) and each.id == "INC-1-d1"][-1]
    assert (again.attempt, again.repeat) == (2, True)


def test_the_kill_switch_refuses_a_start_without_blaming_the_runbook(sim: Simulation) -> None:
    sim.feed(SwitchSet(at=START, name="kill", on=True))
    sim.feed(firing("api-broken"))
    assert run_of(sim).phase is RunPhase.REFUSED
    assert pages(sim)


def test_what_is_still_owed_to_somebody_does_not_go_to_the_archive(sim: Simulation, world: World) -> None:
    """Nobody has sent an SMS for longer than incidents are kept."""
    sim.feed(firing("worse", starts_at=START))
    sim.pass_time(START + MINUTE)
    world.asleep.add("sms")
    sim.feed(resolved("worse", at=sim.now))
    sim.pass_time(START + 9 * 24 * HOUR)
    assert only(sim).paged
    assert audit(sim.state, sim.now) == []
    world.asleep.clear()
    sim.pass_time(sim.now + HOUR)
    told = [each for _, each in sim.effects if isinstance(each, Deliver) and each.purpose is Purpose.UPDATE]
    assert {each.channel for each in told} == {"sms"}
    sim.pass_time(sim.now + 2 * HOUR)
    assert sim.incidents() == []


def in_the_outbox(sim: Simulation) -> set[str]:
    """Effects that were wanted, and are neither done nor called off."""
    left: set[str] = set()
    for _, decision in sim.decisions:
        left -= {change.effect for change in decision.changes if isinstance(change, Withdraw)}
        left |= {effect.id for effect in decision.effects}
    return left


def test_nothing_is_awaited_of_a_page_from_the_entry_on_that_says_it_was_accepted_or_answered() -> None:
    sim = Simulation(POLICY, START, lambda _effect, _now: [])
    sim.feed(firing("api-broken"))
    sim.pass_time(START + HOUR)
    accepted, answered = [each for _, each in sim.effects if isinstance(each, Deliver)][:2]
    for page in (accepted, answered):
        sim.feed(Claimed(at=sim.now, effect=page.id, attempt=page.attempt, timeout_ms=MINUTE))
        assert page.id in in_the_outbox(sim) & {timer.subject for timer in sim.state.timers().values()}
    sim.feed(
        Delivered(
            at=sim.now, delivery=accepted.id, attempt=accepted.attempt, outcome=Outcome.OK, provider_id="1"
        )
    )
    sim.feed(Answer(at=sim.now, channel="the phone", text="4", delivery=answered.id))
    awaited = in_the_outbox(sim) | {timer.subject for timer in sim.state.timers().values()}
    assert awaited.isdisjoint({accepted.id, answered.id})
