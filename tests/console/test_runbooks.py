"""Runbooks at the command line: started by hand, approved, denied."""

import pytest
from desk import Ask, Desk, Run


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


@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_an_answer_to_a_run_that_does_not_wait_says_so(waiting: str, run: Run, verb: str) -> None:
    run("runbook", "run", "rollback", "--incident", waiting, "--as", "anna")
    assert "INC-1-r1 does not wait for approval" in run("runbook", verb, "INC-1-r1", "--as", "ben").stdout


def test_what_has_changed_nothing_cannot_be_taken_back(waiting: str, run: Run) -> None:
    run("runbook", "run", "rollback", "--incident", waiting, "--as", "anna")
    assert "nothing it has changed can be taken back" in run("runbook", "undo", "INC-1-r1").stdout


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
