"""`tocsin up` as a newcomer starts it: real processes, a real server, real signals."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from stage import Stage, until

from ledger import log
from ledger.keys import Keys
from routing.entry import Lane

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    try:
        yield made.start()
    finally:
        made.clear()


def test_it_gets_ready_takes_an_alert_in_and_pages_into_the_built_in_outbox(stage: Stage) -> None:
    sent = stage.tocsin("send", "alertmanager", "site-down", "--json")
    assert sent.returncode == 0, sent.stdout + sent.stderr
    until(lambda: stage.redis.xlen(stage.keys.sandbox), 30, stage.output)


def test_a_second_start_is_refused_and_told_who_runs(stage: Stage) -> None:
    second = stage.tocsin("up")
    assert second.returncode == 1
    assert f"pid {stage.pid}, since " in second.stderr
    assert "TOCSIN_DATA" in second.stderr


def test_asked_to_end_it_ends_within_five_seconds_and_leaves_no_process(stage: Stage) -> None:
    assert len(stage.pids()) >= 9
    assert stage.stop() < 5
    assert stage.process is not None
    assert stage.process.returncode == 0
    assert stage.pids() == []


def test_a_child_that_is_killed_is_started_again(stage: Stage) -> None:
    killed = stage.children()["deliver"]
    os.kill(killed, signal.SIGKILL)
    until(lambda: stage.children()["deliver"] != killed, 10, stage.output)


def test_after_a_kill_of_the_supervisor_the_children_end_and_a_new_start_finds_all_data(stage: Stage) -> None:
    before = log.read(stage.redis, Keys(), {Lane.CONTROL: "0-0"}, 10, 0)
    children = stage.children()
    database = children.pop("database")
    stage.kill()
    until(lambda: not set(children.values()) & set(stage.pids()), 10, stage.output)
    assert database in stage.pids(), "it lives on, and the next start attaches to it"
    stage.launch()
    stage.wait_ready()
    assert log.read(stage.redis, Keys(), {Lane.CONTROL: "0-0"}, 10, 0) == before
    assert before


def test_a_bad_configuration_is_told_and_the_good_one_stays(stage: Stage) -> None:
    version = stage.redis.hget(stage.keys.policy, "current")
    (stage.config_dir / "severity.yaml").write_text("rules: nonsense\n")
    until(lambda: "severity.yaml:1" in stage.output(), 10, stage.output)
    assert stage.redis.hget(stage.keys.policy, "current") == version
