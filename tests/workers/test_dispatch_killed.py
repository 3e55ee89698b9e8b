"""Dispatch processes killed at fault points and at random: every entry is decided exactly once all the same."""

import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from redis import Redis
from working import process, until

from ledger import log, policies
from ledger.catalogue import catalogue
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.state import load_state
from routing.decision import Table
from routing.entry import Lane, Opened
from routing.incident import Incident
from workers.env_file import PREFIXES
from workers.queues import DISPATCH, Queues

SERVING = "workers.serving:main"
CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def published(redis: Redis, keys: Keys) -> Redis:
    policies.settle(redis, keys, CONFIG, dict.fromkeys(PREFIXES, "made-up"), catalogue())
    return redis


def open_incidents(client: Redis, keys: Keys, titles: Iterator[int], count: int) -> None:
    for _, number in zip(range(count), titles, strict=False):
        lane = random.choice(list(Lane))  # noqa: S311  # no secret depends on it
        log.append(client, keys, lane, Opened(at=now_ms(), title=f"t{number}", severity=3))


def opened(client: Redis, keys: Keys) -> Counter[str]:
    incidents = load_state(client, keys).tables[Table.INCIDENT].values()
    return Counter(each.title for each in incidents if isinstance(each, Incident))


def count(client: Redis, keys: Keys) -> int:
    return int(client.hlen(keys.state(Table.INCIDENT)))


def dispatching(url: str, **variables: str) -> "AbstractContextManager[subprocess.Popen[bytes]]":
    return process(SERVING, DISPATCH, TOCSIN_REDIS_URL=url, **variables)


@pytest.mark.kill
@pytest.mark.parametrize("point", ["commit.before", "commit.after"])
def test_killed_around_a_commit(point: str, published: Redis, redis_url: str, keys: Keys) -> None:
    numbers = iter(range(1_000))
    queues = Queues(published)
    for arrival in ("1", "2", "3"):
        open_incidents(published, keys, numbers, 20)
        queues.keep_spare()
        with dispatching(redis_url, TOCSIN_FAULT=f"{point}:{arrival}") as doomed:

            def died(doomed: subprocess.Popen[bytes] = doomed) -> bool:
                open_incidents(published, keys, numbers, 1)
                return doomed.poll() is not None

            until(died, 20, "its death at the fault point")
            assert doomed.returncode == -signal.SIGKILL
    sent = next(numbers)
    queues.keep_spare()
    with dispatching(redis_url):
        until(lambda: count(published, keys) >= sent, 20, "the last entry to be decided")
    assert opened(published, keys) == Counter(f"t{number}" for number in range(sent))


@pytest.mark.kill
def test_killed_at_random_with_a_standby(published: Redis, redis_url: str, keys: Keys) -> None:
    numbers = iter(range(100_000))
    queues = Queues(published)
    with ExitStack() as stack:
        running = [stack.enter_context(dispatching(redis_url)) for _ in range(2)]
        for _ in range(6):
            before = count(published, keys)

            def moved(before: int = before) -> bool:
                queues.keep_spare()
                open_incidents(published, keys, numbers, 5)
                return count(published, keys) > before + random.randrange(60)  # noqa: S311

            until(moved, 20, "somebody to decide")
            os.kill(running.pop(0).pid, signal.SIGKILL)
            running.append(stack.enter_context(dispatching(redis_url)))
        sent = next(numbers)

        def all_decided() -> bool:
            queues.keep_spare()
            return count(published, keys) >= sent

        until(all_decided, 20, "the last entry to be decided")
    assert opened(published, keys) == Counter(f"t{number}" for number in range(sent))
