"""Many dead letters at once: how far it is, and the way back, outlive the console that did it."""

import signal
from contextlib import suppress
from pathlib import Path

import httpx2
import msgspec
import pytest
import seeing
from commands import running
from desk import Desk
from seeing import console
from stage import free_port
from working import until

from console.trust.acts import Role
from ledger import dead, jobs
from ledger.clock import now_ms
from ledger.jobs import Failed, Job
from routing.instant import MINUTE


def _letters(desk: Desk, count: int) -> list[str]:
    return [
        dead.bury_now(
            desk.client, desk.keys, dead.refused("alertmanager", "a fault", b'{"n": %d}' % number, now_ms())
        )
        for number in range(count)
    ]


def _waiting(desk: Desk) -> int:
    return dead.waiting(desk.client, desk.keys)


def _ended(client: httpx2.Client, where: str) -> str:
    def page() -> str:
        found = client.get(where).text
        return "" if "so far" in found else found

    return until(page, 20, "the job to end")


def test_what_was_dropped_is_brought_back_by_a_console_that_was_started_since(
    desk: Desk, redis_url: str, tmp_path: Path
) -> None:
    _letters(desk, 130)
    with console(seeing.site(redis_url, tmp_path)) as first:
        anna = first.signed_in("anna")
        where = anna.post("/dead/many", data={"do": "drop", "all": "1", "text": "a fault"}).headers[
            "location"
        ]
        assert "Dropped 130" in _ended(anna, where)
    assert _waiting(desk) == 0
    with console(seeing.site(redis_url, tmp_path)) as second:
        ben, vera = second.signed_in("ben"), second.signed_in("vera", Role.VIEWER)
        assert "Dropped 130" in ben.get("/dead").text
        assert "Undo" not in vera.get(where).text
        assert vera.post(f"{where}/undo").status_code == 403
        back = ben.post(f"{where}/undo").headers["location"]
        assert "Restored 130" in _ended(ben, back)
        assert "Undone: they wait again" in ben.get(where).text
        assert ben.post(f"{where}/undo").status_code == 422, "once is enough"
    assert _waiting(desk) == 130


def test_a_console_killed_right_after_a_drop_has_noted_it_and_all_it_dropped_comes_back(
    desk: Desk, redis_url: str, tmp_path: Path
) -> None:
    _letters(desk, 5)
    with console(seeing.site(redis_url, tmp_path)) as other:
        anna = other.signed_in("anna")
        fault = {"TOCSIN_FAULT": "dead.dropped:3", "TOCSIN_CONSOLE_PORT": str(free_port())}
        with running(tmp_path, redis_url, "console", **fault) as doomed:
            url = f"http://127.0.0.1:{fault['TOCSIN_CONSOLE_PORT']}"
            until(lambda: _answers(url), 30, "the console to answer")
            where = anna.post(f"{url}/dead/many", data={"do": "drop", "all": "1"}).headers["location"]
            assert doomed.process.wait(20) == -signal.SIGKILL
        assert _waiting(desk) == 2
        (job,) = jobs.latest(desk.client, desk.keys, 5)
        jobs.keep(desk.client, desk.keys, msgspec.structs.replace(job, moved_at=now_ms() - MINUTE))
        assert "Dropped 3" in anna.get(where).text
        back = anna.post(f"{where}/undo").headers["location"]
        assert "Restored 3" in _ended(anna, back)
    assert _waiting(desk) == 5


def _answers(url: str) -> bool:
    with suppress(httpx2.HTTPError):
        return httpx2.get(f"{url}/healthz", trust_env=False, verify=False).status_code == 200
    return False


@pytest.mark.parametrize(("ago", "died"), [(MINUTE, True), (0, False)])
def test_a_job_whose_process_died_says_what_it_has_done_and_can_be_undone(
    desk: Desk, redis_url: str, tmp_path: Path, ago: int, died: bool
) -> None:
    letter, other = _letters(desk, 2)
    at = now_ms() - ago
    job = Job(
        id="j1", what="drop", by="anna", total=2, began_at=at, moved_at=at, failed=[Failed(other, "<b>")], failures=1
    )  # fmt: skip
    jobs.keep(desk.client, desk.keys, job)
    dead.drop(desk.client, desk.keys, letter, "anna", at)
    jobs.did(desk.client, desk.keys, "j1", letter)
    with console(seeing.site(redis_url, tmp_path)) as seen:
        anna = seen.signed_in("anna")
        page = anna.get("/dead/jobs/j1").text
        assert "&lt;b&gt;" in page
        assert ("it ended with its process" in page, "2 so far" in page) == (died, not died)
        assert (anna.post("/dead/jobs/j1/undo").status_code == 303) is died
        until(lambda: _waiting(desk) == (2 if died else 1), 10, "the letter to wait")
        assert anna.get("/dead/jobs/nothing").status_code == 404


def test_an_undo_that_died_half_way_is_offered_once_more_and_leaves_what_was_brought_through(
    desk: Desk, redis_url: str, tmp_path: Path
) -> None:
    back, through, left = _letters(desk, 3)
    at = now_ms() - MINUTE
    for name, what, ended in (("j1", "drop", at), ("j2", "restore", 0)):
        job = Job(id=name, what=what, by="anna", total=3, began_at=at, moved_at=at, ended_at=ended)
        jobs.keep(desk.client, desk.keys, job)
    for each in (back, through, left):
        dead.drop(desk.client, desk.keys, each, "anna", at, "j1")
    assert jobs.undo(desk.client, desk.keys, "j1", "j2")
    for each in (back, through):
        dead.restore(desk.client, desk.keys, each, "anna", at)
    dead.mark_retried(desk.client, desk.keys, through, "anna", at)
    with console(seeing.site(redis_url, tmp_path)) as seen:
        anna = seen.signed_in("anna")
        assert "Undo: let them wait again" in anna.get("/dead/jobs/j1").text
        where = anna.post("/dead/jobs/j1/undo").headers["location"]
        assert "Restored 3" in _ended(anna, where)
        assert anna.post("/dead/jobs/j1/undo").status_code == 422, "once is enough"
    fates = {each: dead.get(desk.client, desk.keys, each) for each in (back, through, left)}
    assert [each.status for each in fates.values() if each] == ["waiting", "retried", "waiting"]
