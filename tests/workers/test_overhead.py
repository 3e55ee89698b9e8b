"""What automation costs, with ten times the slack of what `make bench` measures: enough to see it grow."""

import tracemalloc
from dataclasses import replace
from statistics import median

from guarding import guarded
from redis import Redis
from small_policy import POLICY, ROLLBACK, START, World, firing

from ledger.keys import Keys
from routing.decision import Table
from routing.effect import Step
from routing.instant import HOUR, MINUTE
from routing.policy import Budget, Limits, Policy
from routing.run import Run, RunPhase
from routing.simulation import Simulation
from routing.timer import Wake

RUNS = 100


def test_the_guard_check_of_a_change_costs_little(redis: Redis, keys: Keys) -> None:
    assert median(guarded(redis, keys, number) for number in range(100)) < 0.010


def test_a_run_that_waits_is_a_timer_and_holds_no_worker() -> None:
    """Each looks every half an hour; between two looks nothing of it is handed out to anybody."""
    tracemalloc.start()
    sim = Simulation(policy(), START, World(), keep=False)
    for number in range(RUNS):
        sim.feed(firing("api-broken", key=f"k{number}", labels={"instance": f"i{number}"}))
    sim.pass_time(START + 20 * MINUTE)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    runs = [each for each in sim.state.tables[Table.RUN].values() if isinstance(each, Run)]
    assert [run.phase for run in runs] == [RunPhase.VERIFY] * RUNS
    assert {run.steps[-1].outcome for run in runs} == {"ok"}, "the last look has its answer"
    handed_out = [at for at, each in sim.effects if isinstance(each, Step)]
    assert (len(handed_out), max(handed_out) < START + MINUTE) == (4 * RUNS, True)
    woken = {timer.subject for timer in sim.state.timers().values() if timer.wake is Wake.VERIFY}
    assert woken == {run.id for run in runs}
    assert taken / RUNS < 1_000_000, "a thousand of them would be a gigabyte"


def policy() -> Policy:
    """Every alert is an incident and a target of its own, and is looked at for two hours."""
    assert ROLLBACK.verify is not None
    verify = replace(ROLLBACK.verify, every_ms=30 * MINUTE, for_ms=2 * HOUR, timeout_ms=3 * HOUR)
    limits = Limits(everywhere=Budget(1000, 1000))
    book = replace(
        ROLLBACK, limits=limits, target="site:{{ incident.id }}", verify=verify, timeout_ms=4 * HOUR
    )
    route = replace(POLICY.route, group_by=("instance",))
    return replace(POLICY, route=route, runbooks=(book,), runs=Budget(1000, 1000))
