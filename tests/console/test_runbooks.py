"""Runbooks at the command line: started by hand, approved, denied."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import shipped
from click.testing import CliRunner
from desk import Ask, Desk, Run, outage
from site_standin import SiteStandin
from small_policy import HERE, POLICY, ROLLBACK

from console.main import tocsin
from ledger.clock import now_ms
from routing.entry import Lane, Outcome, Signal, StepDone
from routing.instant import HOUR
from routing.policy import Task


@pytest.fixture
def waiting(desk: Desk, run: Run) -> str:
    """An incident of the site."""
    run("incidents", "open", "The site is slow", "--service", "site")
    return "INC-1"


def test_a_runbook_is_started_by_hand_and_shown(waiting: str, run: Run, ask: Ask) -> None:
    said = run("runbook", "run", "rollback", "--incident", waiting, "--as", "anna").stdout
    assert "runbook rollback started by anna" in said
    (found,) = ask("incidents", "show", waiting)["runs"]
    assert (found["runbook"], found["requested_by"]) == ("rollback", "anna")


def test_a_mail_to_customers_waits_for_a_yes_in_the_words_of_whoever_asks(
    waiting: str, run: Run, ask: Ask
) -> None:
    said = run("notify", "customers", waiting, "--subject", "Paying fails", "--as", "anna").stdout
    assert "runbook tell-customers started by anna" in said
    (found,) = ask("incidents", "show", waiting)["runs"]
    assert found["inputs"]["subject"] == "Paying fails"
    assert found["inputs"]["message"].startswith("Booking with us does not work")
    assert found["requested_by"] == "anna"


def test_an_input_there_is_not_or_that_is_too_long_is_refused(waiting: str, run: Run) -> None:
    start = ("runbook", "run", "tell-customers", "--incident", waiting)
    said = run(*start, "--input", "subjekt=x", code=2).output
    assert "tell-customers has no input 'subjekt'; there are subject, message" in said
    assert "write at most 200" in run("notify", "customers", waiting, "--subject", "x" * 201, code=2).output


@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_an_answer_to_a_run_that_does_not_wait_says_so(waiting: str, run: Run, verb: str) -> None:
    run("runbook", "run", "rollback", "--incident", waiting, "--as", "anna")
    assert "INC-1-r1 does not wait for approval" in run("runbook", verb, "INC-1-r1", "--as", "ben").stdout


def test_what_has_changed_nothing_cannot_be_taken_back(waiting: str, run: Run) -> None:
    run("runbook", "run", "rollback", "--incident", waiting, "--as", "anna")
    assert "nothing it has changed can be taken back" in run("runbook", "undo", "INC-1-r1").stdout


def test_giving_up_wants_a_reason(waiting: str, run: Run) -> None:
    run("runbook", "run", "rollback", "--incident", waiting, "--as", "anna")
    assert "wants to know why" in run("runbook", "undo", "INC-1-r1", "--give-up", " ", code=2).output
    said = run("runbook", "undo", "INC-1-r1", "--give-up", "done by hand", "--as", "ben").stdout
    assert "ben gave up on taking back INC-1-r1" in said


def test_a_freeze_is_set_shown_and_taken_back(desk: Desk, run: Run) -> None:
    assert run("freeze", "status").stdout == "off\n"
    run("freeze", "on", "--reason", "the sale", "--as", "anna")
    assert run("freeze", "status").stdout == "on, by anna: the sale\n"
    run("freeze", "off", "--as", "ben")
    assert run("freeze", "status").stdout == "off\n"


def test_runbooks_prove_themselves_without_anything_running(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    shutil.copytree(shipped.FOLDER, folder)
    environ = {"TOCSIN_CONFIG": str(folder), "TOCSIN_REDIS_URL": "redis://127.0.0.1:1/0"}
    told = CliRunner().invoke(tocsin, ["runbook", "test", "rollback"], env=environ)
    assert told.exit_code == 0
    assert told.output.splitlines()[0].startswith("ok      rollback: a bad deployment is rolled back")
    file = folder / "runbooks/rollback.yaml"
    file.write_text(file.read_text().replace("age_minutes: 4000", "age_minutes: 40"))
    told = CliRunner().invoke(tocsin, ["runbook", "test", "--json"], env=environ)
    assert told.exit_code == 1
    failed = [each for each in json.loads(told.stdout) if not each["ok"]]
    assert [each["test"] for each in failed] == ["what is live is too old to be the cause"]
    assert "it failed" in failed[0]["failure"]
    told = CliRunner().invoke(tocsin, ["runbook", "test", "cook"], env=environ)
    assert (told.exit_code, "no runbook 'cook'" in told.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run", "cook", "--incident", "INC-1"], 2, "no runbook 'cook'; there are"),
        (["run", "rollback", "--incident", "INC-9"], 1, "no incident 'INC-9'"),
        (["approve", "INC-1"], 2, "'INC-1' is no run"),
        (["deny", "INC-9-r1"], 1, "no incident 'INC-9'"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    waiting: str, run: Run, arguments: list[str], code: int, says: str
) -> None:
    assert says in run("runbook", *arguments, code=code).stderr


def test_a_task_is_shown_with_who_has_it_and_what_was_found(
    redis_url: str, tmp_path: Path, run: Run, ask: Ask
) -> None:
    task = Task("ask {{ health.who }}", (("contact", "cto"),), HOUR, HERE)
    book = replace(ROLLBACK, diagnose=ROLLBACK.diagnose[:1], guards=(), remediate=(), verify=None, task=task)
    desk = Desk(redis_url, tmp_path, replace(POLICY, runbooks=(book,)))
    desk.append(Signal(at=now_ms(), event=outage()), Lane.URGENT)
    found = {"who": "the vendor"}
    desk.append(
        StepDone(at=now_ms(), run="INC-1-r1", step="health", attempt=1, outcome=Outcome.OK, output=found)
    )
    shown = ask("incidents", "show", "INC-1")
    (left,) = shown["followups"]
    assert (left["text"], left["to"], left["evidence"]) == ("ask the vendor", ["contact cto"], "INC-1-r1")
    (ran,) = shown["runs"]
    assert (ran["id"], ran["status"], ran["steps"][0]["output"]) == ("INC-1-r1", "handed_over", found)
    printed = run("incidents", "show", "INC-1").stdout
    assert "To do" in printed
    assert "INC-1-r1-task" in printed
    assert "the vendor" in printed
    desk.leave()


def test_what_comes_by_the_calendar_is_listed_the_next_first(desk: Desk, run: Run, ask: Ask) -> None:
    found = ask("scheduled")
    assert {each["name"] for each in found} == {each.name for each in desk.policy.scheduled}
    instants = [each["next_at"] for each in found]
    assert instants == sorted(instants)
    assert "SecurityScan" in run("scheduled").stdout


def test_a_rehearsal_asks_staging_and_never_production(tmp_path: Path) -> None:
    """One step names production's address itself: the wall stops it, in the process that plays."""
    folder = tmp_path / "config"
    shutil.copytree(shipped.FOLDER, folder)
    with SiteStandin() as production, SiteStandin() as staging:
        file = folder / "runbooks/rollback.yaml"
        spoilt = file.read_text().replace("{url: /api/v2/summary.json}", f"{{url: {production.url}/status}}")
        file.write_text(spoilt.replace("vendor_status.summary", "http.get_json"))
        environ = {
            "TOCSIN_CONFIG": str(folder), "TOCSIN_REDIS_URL": "redis://127.0.0.1:1/0", "TOCSIN_SITE_URL": production.url,
            "STAGING_SITE_URL": staging.url, "STAGING_ALLOW_PRIVATE": "true", "TOCSIN_ENV_FILE": str(tmp_path / "none"),
        }  # fmt: skip
        command = [sys.executable, "-m", "console.main", "runbook", "test", "rollback", "--environment"]
        told = subprocess.run(
            [*command, "staging", "--json"], env={**os.environ, **environ}, capture_output=True, text=True, check=False, timeout=90
        )  # fmt: skip
        assert told.returncode == 1, told.stderr
        assert "failed in staging: rollback" in told.stderr
        (found,) = json.loads(told.stdout)["rehearsals"]
        steps = {each["id"]: (each["status"], each["error"]) for each in found["steps"]}
        assert steps["health"] == ("ok", "")
        assert steps["vendor"][0] == "failed"
        assert "is production's: it is not asked" in steps["vendor"][1]
        assert (len(staging.calls), production.calls) == (3, [])


def test_an_environment_that_is_not_there_says_what_to_write(tmp_path: Path) -> None:
    environ = {"TOCSIN_CONFIG": str(shipped.FOLDER), "TOCSIN_REDIS_URL": "redis://127.0.0.1:1/0"}
    told = CliRunner().invoke(tocsin, ["runbook", "test", "rollback", "--environment", "stagin"], env=environ)
    assert told.exit_code == 2
    assert "no environment 'stagin'; there is staging" in told.output


def test_the_list_says_which_repair_and_which_hand_over(desk: Desk, run: Run, ask: Ask) -> None:
    found = {each["id"]: each["does"] for each in ask("runbook", "list")}
    assert (found["rollback"], found["dispute"]) == ("repairs", "hands over")
    assert "hands over" in run("runbook", "list").stdout


def test_a_rehearsal_in_which_nothing_could_be_looked_at_is_none(tmp_path: Path) -> None:
    environ = {
        "TOCSIN_CONFIG": str(shipped.FOLDER), "TOCSIN_REDIS_URL": "redis://127.0.0.1:1/0", "STAGING_POSTGRES_URL": "",
        "TOCSIN_ENV_FILE": str(tmp_path / "none"),
    }  # fmt: skip
    told = CliRunner().invoke(tocsin, ["runbook", "test", "backup", "--environment", "staging"], env=environ)
    assert told.exit_code == 1
    assert "not played backup in staging" in told.stdout
    assert "not configured there: set STAGING_POSTGRES_URL" in told.stdout
    assert "nothing was looked at: staging has no target of these runbooks configured" in told.output
