"""Rails: however often a runbook is triggered, it runs as seldom as its limits say, and not while it does not help."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
import shipped
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from small_policy import POLICY, ROLLBACK, START, World, firing, resolved

from routing.decision import Table
from routing.effect import Step
from routing.instant import DAY, HOUR, MINUTE, SECOND, iso
from routing.load import load
from routing.policy import Budget, Limits, Policy, Runbook
from routing.run import Run, RunPhase
from routing.simulation import Simulation

LIMITS = Limits()
WIDE = Limits(
    cooldown_ms=SECOND, per_hour=60, per_day=1000, everywhere=Budget(1000, 1000), breaker_failures=100
)


def policy(limits: Limits, *, apart: bool = False, runs: Budget = POLICY.runs) -> Policy:
    """`apart`: every incident is about a target of its own. What comes back is another incident."""
    target = "site:{{ incident.id }}" if apart else ROLLBACK.target
    route = replace(POLICY.route, group_by=("service", "kind"), reopen_ms=1)
    return replace(
        POLICY, route=route, runbooks=(replace(ROLLBACK, limits=limits, target=target),), runs=runs
    )


def triggered(sim: Simulation, every_ms: int, times: int) -> None:
    """It breaks so often, and is over 5 s before it breaks again; each time it is an incident of its own."""
    for number in range(times):
        key, at = f"k{number}", sim.now
        sim.feed(firing("api-broken", at=at, key=key, starts_at=at))
        sim.pass_time(at + every_ms - 5 * SECOND)
        sim.feed(resolved("api-broken", at=sim.now, key=key, ends_at=sim.now))
        sim.pass_time(at + every_ms)


def runs(sim: Simulation) -> list[Run]:
    found = [each for each in sim.state.tables[Table.RUN].values() if isinstance(each, Run)]
    return sorted(found, key=lambda run: (run.started_at, run.id))


def whys(sim: Simulation) -> list[str]:
    """Why each was refused, in order, up to the colon; "" where it ran."""
    return [run.why.partition(":")[0] if run.phase is RunPhase.REFUSED else "" for run in runs(sim)]


def changes(sim: Simulation) -> list[int]:
    return [at for at, each in sim.effects if isinstance(each, Step) and each.mutates]


def test_ten_triggers_an_hour_are_three_runs() -> None:
    world = World()
    sim = Simulation(policy(LIMITS), START, world)
    triggered(sim, 6 * MINUTE, 10)
    rested, spent = "cooldown", "budget"
    assert whys(sim) == ["", rested, "", rested, "", rested, spent, spent, spent, spent]
    assert runs(sim)[6].why == "budget: 3 runs an hour are used up"
    assert world.rolled_back == 3


def test_a_day_has_a_budget_of_its_own() -> None:
    sim = Simulation(policy(LIMITS), START, World())
    triggered(sim, HOUR, 10)
    assert whys(sim) == [*[""] * 7, "budget", "budget", "budget"]
    assert runs(sim)[7].why == "budget: 7 runs a day are used up"
    sim.pass_time(START + DAY + MINUTE)
    triggered(sim, HOUR, 1)
    assert runs(sim)[-1].phase is RunPhase.SUCCEEDED


def test_many_targets_share_the_budget_of_the_runbook() -> None:
    sim = Simulation(policy(replace(WIDE, everywhere=Budget(3, 5)), apart=True), START, World())
    triggered(sim, 10 * MINUTE, 9)
    assert whys(sim) == ["", "", "", "budget", "budget", "budget", "", "", "budget"]
    assert runs(sim)[3].why == "budget: 3 runs an hour of rollback, over all targets, are used up"
    assert runs(sim)[8].why == "budget: 5 runs a day of rollback, over all targets, are used up"


def test_all_runbooks_share_one_budget_and_what_only_looks_takes_nothing_from_it() -> None:
    other = replace(ROLLBACK, id="other", limits=WIDE, target="other")
    looks = replace(other, id="looks", mode="dry_run", target="looks")

    def names(*books: Runbook) -> list[tuple[str, bool]]:
        given = replace(policy(WIDE, runs=Budget(2, 3)), runbooks=books)
        sim = Simulation(given, START, World())
        for book in books:
            changed = replace(given, runbooks=(book,))
            sim.policy = changed
            triggered(sim, 10 * MINUTE, 1)
        return [(run.runbook, run.phase is RunPhase.REFUSED) for run in runs(sim)]

    one = replace(ROLLBACK, limits=WIDE)
    third = replace(other, id="third", target="third")
    assert names(one, other, third) == [("rollback", False), ("other", False), ("third", True)]
    assert names(looks, one, other) == [("looks", False), ("rollback", False), ("other", False)]
    assert names(one, other, looks)[-1] == ("looks", False)


def test_a_refused_run_uses_up_no_budget() -> None:
    sim = Simulation(policy(replace(WIDE, cooldown_ms=30 * MINUTE, per_hour=2)), START, World())
    triggered(sim, 10 * MINUTE, 6)
    assert whys(sim) == ["", "cooldown", "cooldown", "", "cooldown", "cooldown"]


@pytest.mark.parametrize("helps", [True, False])
def test_a_target_that_is_never_met_again_is_forgotten_with_its_incident_unless_its_repair_failed(
    *, helps: bool
) -> None:
    world = World()
    world.site_is_up_after_rollback = helps
    sim = Simulation(replace(policy(WIDE, apart=True), runbooks=(one_time(),)), START, world)
    triggered(sim, 10 * MINUTE, 3)
    assert len(sim.state.tables[Table.TARGET]) == 3 + 2
    sim.pass_time(START + 10 * DAY)
    assert sim.incidents() == []
    assert set(sim.state.tables[Table.TARGET]) >= {"rollback", "@"}
    assert len(sim.state.tables[Table.TARGET]) == (2 if helps else 5)


def one_time() -> Runbook:
    """Leaves nothing to be done."""
    return replace(policy(WIDE, apart=True).runbooks[0], followups=())


@pytest.mark.parametrize("helps", [True, False], ids=["the probe helps", "the probe fails"])
def test_the_breaker_opens_probes_once_and_closes_or_opens_again(*, helps: bool) -> None:
    world = World()
    world.site_is_up_after_rollback = False
    limits = replace(WIDE, breaker_failures=2, breaker_open_ms=HOUR)
    sim = Simulation(policy(limits), START, world)
    triggered(sim, 10 * MINUTE, 4)
    failed, opened = runs(sim)[:2], runs(sim)[2:]
    assert [run.phase for run in failed] == [RunPhase.FAILED] * 2
    until = failed[1].ended_at + HOUR
    assert {run.why for run in opened} == {f"breaker open until {iso(until)} after 2 failed repairs"}
    assert world.rolled_back == 2

    sim.pass_time(until + SECOND)
    world.site_is_up_after_rollback = helps
    sim.feed(firing("api-broken", at=sim.now, key="probe", starts_at=sim.now))
    sim.pass_time(sim.now + SECOND)
    sim.feed(firing("site-down", at=sim.now, key="beside", starts_at=sim.now))
    probe, beside = runs(sim)[-2:]
    assert (probe.phase.over, beside.why) == (False, f"breaker half open: {probe.id} is the probe under way")
    sim.pass_time(sim.now + 10 * MINUTE)
    assert world.rolled_back == 3

    for key in ("probe", "beside"):
        sim.feed(
            resolved("api-broken" if key == "probe" else "site-down", at=sim.now, key=key, ends_at=sim.now)
        )
    triggered(sim, 10 * MINUTE, 1)
    last = runs(sim)[-1]
    assert (last.phase is RunPhase.SUCCEEDED) is helps
    assert last.why.startswith("breaker open until") is not helps
    assert world.rolled_back == (4 if helps else 3)


def test_budgets_are_as_they_are_written_and_never_without_end() -> None:
    ours = next(each for each in shipped.policy().runbooks if each.id == "rollback")
    assert (shipped.policy().runs, ours.limits.everywhere) == (Budget(30, 200), Budget(10, 50))
    files = shipped.spoilt("tocsin.yaml", "max_running:", "runs: {per_hour: 5, per_day: 9}\nmax_running:")
    name = "config/runbooks/rollback.yaml"
    files[name] = files[name].replace("limits: {", "limits: {everywhere: {per_hour: 2}, ", 1)
    policy = load(files, shipped.vendors())
    ours = next(each for each in policy.runbooks if each.id == "rollback")
    assert (policy.runs, ours.limits.everywhere) == (Budget(5, 9), Budget(2, 50))


flaps = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.booleans(),
        st.sampled_from([SECOND, 20 * SECOND, MINUTE, 4 * MINUTE, 11 * MINUTE, HOUR]) | st.integers(1, HOUR),
        st.booleans(),
    ),
    max_size=150,
)
"""(alert, whether it fires, until what comes next, whether a repair would help now): about a day, and more."""


@examples(25)
@given(flaps, st.booleans(), st.booleans())
def test_an_alert_that_flaps_makes_no_loop(
    log: Sequence[tuple[str, bool, int, bool]], damped: bool, reopens: bool
) -> None:
    """`damped`: flapping is noticed, as it is unless switched off. Without it only the rails are left."""
    world, rules = World(), policy(LIMITS)
    noise = rules.noise if damped else replace(rules.noise, flapping=None)
    sim = Simulation(
        replace(rules, noise=noise, route=POLICY.route if reopens else rules.route), START, world
    )
    for key, fires, gap, helps in log:
        world.site_is_up_after_rollback = helps
        at = sim.now
        sim.feed(
            firing("api-broken", at=at, key=key, starts_at=at)
            if fires
            else resolved("api-broken", at=at, key=key, ends_at=at)
        )
        sim.pass_time(at + gap)
    done = changes(sim)
    assert all(later - earlier >= LIMITS.cooldown_ms for earlier, later in pairwise(done))
    for at in done:
        assert sum(at - HOUR < each <= at for each in done) <= LIMITS.per_hour
        assert sum(at - DAY < each <= at for each in done) <= LIMITS.per_day
    failed = [run for run in runs(sim) if run.phase is RunPhase.FAILED]
    assert len(failed) <= LIMITS.breaker_failures + (sim.now - START) // LIMITS.breaker_open_ms + 1
