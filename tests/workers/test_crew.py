"""`tocsin worker` as a whole: started, kept alive, ended, with nothing but a Redis and a policy in it."""

import os
import signal
import time
from pathlib import Path

import pytest
from commands import running
from redis import Redis
from working import until

from ledger import policies, wire
from ledger.catalogue import catalogue
from ledger.keys import Keys
from workers.crew import specs_of
from workers.env_file import PREFIXES
from workers.queues import DELIVER, DISPATCH

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def published(redis: Redis, keys: Keys) -> Redis:
    policies.settle(redis, keys, CONFIG, dict.fromkeys(PREFIXES, "made-up"), catalogue())
    return redis


@pytest.mark.parametrize("processes", [1, 2])
def test_each_queue_gets_its_processes(processes: int) -> None:
    names = [spec.name for spec in specs_of([DISPATCH, DELIVER], processes)]
    one, two = ["dispatch", "deliver"], ["dispatch-1", "dispatch-2", "deliver-1", "deliver-2"]
    assert names == (one if processes == 1 else two)


def test_machines_of_workers_decide_and_end_when_asked(
    published: Redis, redis_url: str, keys: Keys, tmp_path: Path
) -> None:
    with running(tmp_path, redis_url, "worker") as workers, running(tmp_path, redis_url, "upkeep") as upkeep:
        until(lambda: published.hget(keys.cursor, "decided"), 20, "the first decision")
        began = time.monotonic()
        for each in (workers, upkeep):
            each.process.terminate()
        assert [each.process.wait(10) for each in (workers, upkeep)] == [0, 0]
        assert time.monotonic() - began < 20
    assert not published.exists(keys.lease)


def test_it_waits_until_there_is_a_policy(redis: Redis, redis_url: str, keys: Keys, tmp_path: Path) -> None:
    with running(tmp_path, redis_url, "worker", "--queue", DELIVER, "--processes", "2") as workers:
        workers.says("no policy is in force yet")
        policies.settle(redis, keys, CONFIG, dict.fromkeys(PREFIXES, "made-up"), catalogue())
        workers.says("serves tocsin-deliver", 2)


def test_a_dead_dispatcher_is_replaced_without_waiting_for_its_lease(
    published: Redis, redis_url: str, keys: Keys, tmp_path: Path
) -> None:
    two = running(tmp_path, redis_url, "worker", "--queue", DISPATCH, "--processes", "2")
    with two, running(tmp_path, redis_url, "upkeep"):
        until(lambda: len(published.keys("rq:execution:*")) == 2, 20, "one to dispatch, one to stand by")
        until(lambda: published.get(keys.lease), 5)
        token = published.get(keys.lease)
        os.kill(int(wire.text(token).split(":")[1]), signal.SIGKILL)
        began = time.monotonic()
        until(lambda: published.get(keys.lease) not in {None, token}, 5, "the other one to take over")
        assert time.monotonic() - began < 1.9  # the lease itself would take 2 s
