"""`tocsin up` as a newcomer starts it: real processes, a real server, real signals."""

import os
import re
import signal

import httpx2
import pytest
from stage import Stage, until

from ledger import log, sandbox
from ledger.keys import Keys
from routing.delivery import Purpose
from routing.entry import Lane
from routing.severity import Severity

pytestmark = [pytest.mark.story, pytest.mark.timeout(180), pytest.mark.xdist_group("up")]


def test_it_gets_ready_takes_an_alert_in_and_pages_into_the_built_in_outbox(up: Stage) -> None:
    sent = up.tocsin("send", "alertmanager", "site-down", "--json")
    assert sent.returncode == 0, sent.stdout + sent.stderr

    def pages() -> list[Severity]:
        unsent = sandbox.listing(up.redis, up.keys)
        return [each.severity for each in unsent if each.purpose is Purpose.PAGE]

    until(lambda: Severity.SEV0 in pages(), 30, up.output)


def test_it_shows_a_console_and_who_becomes_its_first_admin(up: Stage) -> None:
    port = up.environ["TOCSIN_CONSOLE_PORT"]
    assert f"console at http://127.0.0.1:{port}" in up.output()
    until(lambda: f"http://127.0.0.1:{port}/welcome/" in up.output(), 20, up.output)
    link = re.findall(r"http://\S+/welcome/[\w-]+", up.output())[-1]
    with httpx2.Client(trust_env=False, verify=False) as http:
        assert "Become the first admin" in http.get(link).text
        assert http.get(f"http://127.0.0.1:{port}/readyz").json() == {"ok": True}


def test_a_second_start_is_refused_and_told_who_runs(up: Stage) -> None:
    second = up.tocsin("up")
    assert second.returncode == 1
    assert f"pid {up.pid}, since " in second.stderr
    assert "TOCSIN_DATA" in second.stderr


def test_asked_to_end_it_ends_within_five_seconds_and_leaves_no_process(up: Stage) -> None:
    assert len(up.pids()) >= 10
    assert up.stop() < 5
    assert up.process is not None
    assert up.process.returncode == 0
    assert up.pids() == []


def test_a_child_that_is_killed_is_started_again(up: Stage) -> None:
    killed = up.children()["deliver"]
    os.kill(killed, signal.SIGKILL)
    until(lambda: up.children()["deliver"] != killed, 10, up.output)


def test_after_a_kill_of_the_supervisor_the_children_end_and_a_new_start_finds_all_data(up: Stage) -> None:
    before = log.read(up.redis, Keys(), {Lane.CONTROL: "0-0"}, 10, 0)
    children = up.children()
    database = children.pop("database")
    up.kill()
    until(lambda: not set(children.values()) & set(up.pids()), 10, up.output)
    assert database in up.pids(), "it lives on, and the next start attaches to it"
    up.launch()
    up.wait_ready()
    assert log.read(up.redis, Keys(), {Lane.CONTROL: "0-0"}, 10, 0) == before
    assert before
