"""Two real workers and one target: one change, whoever is faster, paused, or told to stop. Vercel's log is the truth."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from forked import process
from redis import Redis
from vendor_server import Asked, Misbehaviour, Reply
from vercel_standin import TOKEN, VercelStandin
from working import until
from workshop import Bench, bench, rollback

from ledger import log, outbox, policies
from ledger.catalogue import catalogue
from ledger.clock import now_ms
from ledger.keys import Keys
from routing.effect import AnyEffect
from routing.entry import Lane, Outcome, StepDone, SwitchSet
from workers.env_file import PREFIXES
from workers.queues import DISPATCH, REMEDIATE, Queues

CONFIG = Path(__file__).parents[2] / "config"
ROLLBACK = "/v1/projects/prj_1/rollback/dpl_good"
SERVING = "workers.serving:main"


class Vercel(VercelStandin):
    """`met(asked)` is called before each answer."""

    def __init__(self) -> None:
        super().__init__()
        self.met: Any = lambda _: None

    def answer(self, asked: Asked) -> Reply:
        self.met(asked)
        return super().answer(asked)


@pytest.fixture
def vercel() -> Iterator[Vercel]:
    with Vercel() as server:
        yield server


@pytest.fixture
def at(redis: Redis, redis_url: str, keys: Keys, vercel: Vercel) -> Iterator[Bench]:
    """Two workers with the shipped policy; what they say is read by the bench."""
    policies.settle(redis, keys, CONFIG, dict.fromkeys(PREFIXES, "made-up"), catalogue())
    told = {"TOCSIN_REDIS_URL": redis_url, "VERCEL_BASE_URL": vercel.url, "VERCEL_TOKEN": TOKEN}
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(process(SERVING, REMEDIATE, **told))
        yield bench(redis)


def hand_out(at: Bench, *effects: AnyEffect, times: int = 1) -> None:
    """As a commit does: into the outbox, and a job for each, or more of them."""
    for effect in effects:
        at.put(effect)
    for _ in range(times):
        with at.client.pipeline(transaction=True) as pipe:
            Queues(at.client).enqueue(pipe, list(effects))
            pipe.execute()


def answers(at: Bench, count: int) -> list[StepDone]:
    """So many, once they are there."""

    def found() -> list[StepDone]:
        said = [each for each in at.said() if isinstance(each, StepDone)]
        return said if len(said) >= count else []

    return until(found, 40, "the workers' answers")


def test_two_runs_on_one_target_at_the_same_time_change_it_once(at: Bench, vercel: Vercel) -> None:
    """The later one finds it locked; or free again, and changed since it looked."""
    vercel.misbehave(*(Misbehaviour(path="/v9/projects", delay_s=0.5) for _ in range(2)))
    seen = now_ms()
    one, two = (
        rollback(id=f"INC-{n}-r1/rollback", run=f"INC-{n}-r1", timeout_ms=8_000, looked_at=seen)
        for n in (1, 2)
    )
    hand_out(at, one, two)
    done = answers(at, 2)
    assert sorted(each.outcome for each in done) == [Outcome.OK, Outcome.REFUSED]
    (refused,) = [each for each in done if each.outcome is Outcome.REFUSED]
    assert "vercel:site" in refused.error
    assert vercel.changes == [ROLLBACK]


def test_a_job_that_came_twice_is_done_once(at: Bench, vercel: Vercel) -> None:
    vercel.misbehave(Misbehaviour(path="/v9/projects", delay_s=0.5))
    hand_out(at, rollback(timeout_ms=8_000), times=3)
    answers(at, 1)
    until(lambda: not at.client.llen(f"rq:queue:{REMEDIATE}"), 20, "the other jobs to be taken")
    hand_out(at, rollback(id="INC-9-r1/look", run="INC-9-r1", action="vercel.deployments", mutates=False, lock="",
                          params={"project": "prj_1"}, timeout_ms=8_000))  # fmt: skip
    assert [each.run for each in answers(at, 2)] == ["INC-1-r1", "INC-9-r1"]
    assert vercel.changes == [ROLLBACK]


def test_a_worker_that_slept_while_its_step_was_done_again_changes_nothing_when_it_wakes(
    at: Bench, vercel: Vercel
) -> None:
    asleep: list[int] = []

    def put_to_sleep(asked: Asked) -> None:
        if asked.path == "/v9/projects/prj_1" and not asleep:
            asleep.append(int(claim(at).rpartition(".")[2]))
            os.kill(asleep[0], signal.SIGSTOP)

    vercel.met = put_to_sleep
    first = rollback(timeout_ms=2_000)
    hand_out(at, first)
    until(lambda: asleep, 30, "the first worker to look")
    over = now_ms() + first.timeout_ms
    hand_out(at, rollback(timeout_ms=2_000, attempt=2, repeat=True))
    assert answers(at, 1)[0].outcome is Outcome.OK
    until(lambda: now_ms() > over, 10, "the first one's time to be over")
    os.kill(asleep[0], signal.SIGCONT)
    late = answers(at, 2)[1]
    assert (late.attempt, late.outcome) == (1, Outcome.TEMPORARY), "its time was over before it could begin"
    assert vercel.changes == [ROLLBACK]


def claim(at: Bench) -> str:
    """Who is at the one step that is claimed."""
    (found,) = [each for each in outbox.pending(at.client, at.keys) if each.worker]
    return found.worker


def test_the_kill_switch_thrown_in_the_middle_stops_the_change_within_a_second(
    at: Bench, redis_url: str, vercel: Vercel
) -> None:
    """Thrown as an entry while the step looks: the fold mirrors it where workers read it before each change."""
    thrown: list[int] = []

    def throw(asked: Asked) -> None:
        if asked.path == "/v9/projects/prj_1" and not thrown:
            thrown.append(now_ms())
            log.append(
                at.client, at.keys, Lane.CONTROL, SwitchSet(at=now_ms(), by="anna", name="kill", on=True)
            )
            until(lambda: at.client.exists(at.keys.kill), 5, "the switch to be folded")
            thrown.append(now_ms())

    Queues(at.client).keep_spare()
    with process(SERVING, DISPATCH, TOCSIN_REDIS_URL=redis_url):
        until(lambda: at.client.exists(at.keys.lease), 30, "somebody to decide")
        vercel.met = throw
        hand_out(at, rollback(timeout_ms=8_000))
        (done,) = answers(at, 1)
    assert (done.outcome, vercel.changes) == (Outcome.REFUSED, [])
    began, held = thrown
    assert held - began < 1_000
