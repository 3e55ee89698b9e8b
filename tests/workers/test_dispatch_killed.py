"""Dispatch processes killed at fault points and at random: every entry is decided exactly once all the same."""

import os
import random
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from forked import Process, process
from redis import Redis
from working import Found, until

from ledger import log, policies
from ledger.catalogue import catalogue
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.state import load_state
from routing.decision import Table
from routing.entry import Lane, Opened, Signal
from routing.event import Event, Status
from routing.incident import Incident, Window
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


def dispatching(url: str, **variables: str) -> AbstractContextManager[Process]:
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

            def died(doomed: Process = doomed) -> bool:
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


ABSENCES = """absences:
  - {name: never-came, match: ['kind="backup.done"'], within: 3s, severity: SEV-3, title: Never came}
  - {name: went-quiet, match: ['kind="beat"'], by: [host], within: 3s, severity: SEV-3, title: Went quiet}
"""
"""An event that is expected from when the policy goes live, and a heartbeat."""


def expecting(client: Redis, keys: Keys, folder: Path) -> int:
    """The shipped configuration, which expects two more things soon; one heart has beaten, at this instant (ms)."""
    shutil.copytree(CONFIG, folder)
    severity = (folder / "severity.yaml").read_text()
    (folder / "severity.yaml").write_text(severity.replace("absences:\n", ABSENCES, 1))
    policies.settle(client, keys, folder, dict.fromkeys(PREFIXES, "made-up"), catalogue())
    return beat(client, keys, "a")


def beat(client: Redis, keys: Keys, host: str) -> int:
    at = now_ms()
    event = Event(source="alertmanager", vendor="alertmanager", kind="beat", status=Status.INFO, key="",
                  title="beat", labels={"host": host})  # fmt: skip
    log.append(client, keys, Lane.BULK, Signal(at=at, event=event))
    return at


def awaited(client: Redis, keys: Keys) -> dict[str, int]:
    """When each of the two is missed (ms), by its rule, as far as a timer is set."""
    timers = load_state(client, keys).timers().values()
    found = {rule: each.at for rule in ("never-came", "went-quiet") for each in timers if rule in each.what}
    return found if len(found) == 2 else {}


@pytest.mark.kill
@pytest.mark.parametrize("back", ["before it is missed", "after"])
def test_killed_while_something_is_expected(
    back: str, redis: Redis, redis_url: str, keys: Keys, tmp_path: Path
) -> None:
    """It is missed at its time, or as soon as somebody looks again, and told of once."""
    beat_at = expecting(redis, keys, tmp_path / "config")
    queues = Queues(redis)

    def decide_until(look: Callable[[], Found], what: str) -> Found:
        queues.keep_spare()
        with dispatching(redis_url) as doomed:
            found = until(look, 20, what)
            doomed.kill()
            doomed.wait()
        return found

    due = decide_until(lambda: awaited(redis, keys), "both to be expected")
    if back == "after":
        until(lambda: now_ms() > max(due.values()), 10, "its time to be over")
    decide_until(lambda: len(opened(redis, keys)) == 2, "both to be missed")
    beat(redis, keys, "b")
    decide_until(lambda: len(awaited_hosts(redis, keys)) == 2, "the next entry to be decided")
    assert opened(redis, keys) == Counter({"Never came": 1, "Went quiet": 1})
    missed = load_state(redis, keys).tables[Table.INCIDENT].values()
    assert all(each.opened_at >= beat_at + 3_000 for each in missed if isinstance(each, Incident))


def awaited_hosts(client: Redis, keys: Keys) -> set[str]:
    windows = load_state(client, keys).tables[Table.WINDOW].values()
    return {each.values[0] for each in windows if isinstance(each, Window) and each.values}
