"""`tocsin status-page`: what a person says in public, and what is seen of it."""

import pytest
from desk import Ask, Desk, Run


@pytest.fixture
def opened(desk: Desk, run: Run) -> str:
    del desk
    run("incidents", "open", "Checkout is slow", "--severity", "SEV-2", "--service", "checkout")
    return "INC-1"


def test_a_person_says_how_it_stands_and_everybody_sees_it(opened: str, run: Run, ask: Ask) -> None:
    said = run(
        "status-page", "update", opened, "--status", "investigating", "--message", "Paying fails. We look."
    )
    assert "INC-1: status page: investigating, by anna: Paying fails. We look." in said.stdout
    shown = ask("status-page", "show")
    assert shown["incidents"][0]["updates"][0]["body"] == "Paying fails. We look."
    assert {"name": "Payments", "status": "degraded"} in shown["components"]
    assert "Paying fails. We look." in run("status-page", "show").stdout
    assert "Checkout is slow" not in run("status-page", "html").stdout


def test_without_words_of_their_own_the_templates_are_taken(opened: str, run: Run, ask: Ask) -> None:
    run("status-page", "update", opened, "--status", "investigating")
    run("status-page", "update", opened, "--status", "resolved")
    shown = ask("status-page", "show")
    assert shown["status"]["indicator"] == "none"
    assert (
        shown["history"][0]["updates"][0]["body"]
        == "Payments works as it should again. We are sorry for the trouble."
    )


def test_other_components_and_how_they_do_can_be_named(opened: str, run: Run, ask: Ask) -> None:
    run(
        "status-page",
        "update",
        opened,
        "--status",
        "identified",
        "--component",
        "site",
        "--health",
        "major_outage",
    )
    assert {"name": "Website", "status": "major_outage"} in ask("status-page", "show")["components"]


def test_what_cannot_be_said_is_told(opened: str, run: Run) -> None:
    update = ("status-page", "update", opened, "--status", "identified")
    assert "no component 'analytics'" in run(*update, "--component", "analytics", code=2).output
    assert "write at most 2,000" in run(*update, "--message", "x" * 2_001, code=2).output
    assert (
        "no incident 'INC-9'" in run("status-page", "update", "INC-9", "--status", "resolved", code=1).output
    )
    run("status-page", "update", opened, "--status", "fine", code=2)
