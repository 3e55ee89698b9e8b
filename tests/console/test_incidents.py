"""What operators see of incidents, and what they can do with them."""

import re

import pytest
from desk import Ask, Desk, Run

KEYS = {
    "id", "title", "severity", "status", "team", "service", "opened_at", "acknowledged_at", "resolved_at",
    "respond_by", "resolve_by", "next_action", "alerts", "deliveries", "runs", "timeline",
}  # fmt: skip
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def opened(desk: Desk, run: Run) -> str:
    """An incident opened by hand."""
    out = run("incidents", "open", "Checkout is slow", "--severity", "SEV-1", "--service", "checkout").stdout
    assert "INC-1 opened as SEV-1" in out
    return "INC-1"


def test_an_incident_shows_all_that_the_contract_names(opened: str, ask: Ask) -> None:
    shown = ask("incidents", "show", opened)
    assert set(shown) >= KEYS
    assert (shown["status"], shown["severity"], shown["title"]) == ("triggered", "SEV-1", "Checkout is slow")
    assert ISO.fullmatch(shown["opened_at"])
    assert set(shown["next_action"]) == {"at", "what"}
    assert {"id", "contact", "channel", "kind", "status", "attempts", "provider_id", "at"} <= set(
        shown["deliveries"][0]
    )
    assert {"at", "what", "reasons"} <= set(shown["timeline"][0])


def test_an_ack_says_what_it_did_and_by_whom(opened: str, run: Run, ask: Ask) -> None:
    assert f"{opened}: acknowledged by ben via" in run("incidents", "ack", opened, "--as", "ben").stdout
    assert ask("incidents", "show", opened)["acknowledged_by"] == "ben"


def test_acting_on_what_is_over_says_that_it_was_over(opened: str, run: Run) -> None:
    run("incidents", "resolve", opened)
    assert "it was already resolved" in run("incidents", "ack", opened).stdout


def test_an_operator_is_the_system_user_unless_named(opened: str, run: Run, ask: Ask) -> None:
    run("incidents", "resolve", opened)
    assert ask("incidents", "show", opened)["resolved_by"] not in {"", "operator"}


def test_a_note_and_an_escalation_are_in_the_timeline(opened: str, run: Run, ask: Ask) -> None:
    run("incidents", "note", opened, "cache was cold")
    run("incidents", "escalate", opened)
    told = [moment["what"] for moment in ask("incidents", "show", opened)["timeline"]]
    assert any(what == "note: cache was cold" for what in told)
    assert any(what.startswith("escalated by") for what in told)


def test_a_listing_is_newest_first_pages_and_filters(desk: Desk, run: Run, ask: Ask) -> None:
    for number in range(5):
        run(
            "incidents",
            "open",
            f"Trouble {number}",
            "--severity",
            f"SEV-{number % 3}",
            "--service",
            f"s{number}",
        )
    run("incidents", "resolve", "INC-5")
    first = ask("incidents", "list", "--limit", "3")
    assert [row["id"] for row in first["incidents"]] == ["INC-4", "INC-3", "INC-2"]
    rest = ask("incidents", "list", "--limit", "3", "--after", first["after"])
    assert ([row["id"] for row in rest["incidents"]], rest["after"]) == (["INC-1"], "")
    assert [row["id"] for row in ask("incidents", "list", "--status", "resolved")["incidents"]] == ["INC-5"]
    assert len(ask("incidents", "list", "--all")["incidents"]) == 5
    assert [row["id"] for row in ask("incidents", "list", "--severity", "SEV-0")["incidents"]] == [
        "INC-4",
        "INC-1",
    ]
    assert [row["id"] for row in ask("incidents", "list", "--service", "s2")["incidents"]] == ["INC-3"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["show", "INC-9"], 1, "no incident 'INC-9'; see: tocsin incidents list --all"),
        (["ack", "INC-9"], 1, "no incident 'INC-9'"),
        (["list", "--after", "nine"], 2, "ids look like INC-12"),
        (["list", "--severity", "bad"], 2, "write SEV-0, SEV-1"),
        (["list", "--limit", "0"], 2, "range"),
        (["open", "x", "--severity", "9"], 2, "not a severity"),
        (["update", "INC-9", "--severity", "SEV-3"], 1, "no incident 'INC-9'"),
        (["update", "INC-9", "--severity", "mild"], 2, "not a severity"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    desk: Desk, run: Run, arguments: list[str], code: int, says: str
) -> None:
    assert says in run("incidents", *arguments, code=code).stderr


def test_a_person_reads_title_clocks_deliveries_and_reasons(opened: str, run: Run) -> None:
    shown = run("incidents", "show", opened).stdout
    for part in ("Checkout is slow", "respond by", "resolve by", "next", "Deliveries", "Timeline", "because"):
        assert part in shown


def test_hostile_text_is_inert(desk: Desk, run: Run, ask: Ask) -> None:
    evil = "\x1b[31mred\x1b[0m \u202egnp.exe\u2069 [bold]markup[/bold]\x07\x9b2J"
    run("incidents", "open", evil)
    for command in (["list"], ["show", "INC-1"]):
        out = run("incidents", *command).stdout
        assert "[bold]markup[/bold]" in out
        assert not set("\x1b\x07\x9b\u202e\u2069") & set(out)
        assert "\x1b" not in run("incidents", *command, "--json").stdout
    assert ask("incidents", "show", "INC-1")["title"] == evil


def test_without_a_terminal_there_are_no_colours_and_no_line_is_broken(desk: Desk, run: Run) -> None:
    run("incidents", "open", " ".join(["word"] * 100))
    out = run("incidents", "list").stdout
    assert "\x1b[" not in out
    assert len(out.splitlines()) == 2
    shown = run("incidents", "show", "INC-1").stdout
    assert [line for line in (out + shown).splitlines() if line != line.rstrip()] == []


def test_a_person_lowers_an_incident_and_everyone_can_read_why(opened: str, run: Run, ask: Ask) -> None:
    told = run(
        "incidents", "update", opened, "--severity", "SEV-3", "--reason", "no customer", "--as", "anna"
    )
    assert "to SEV-3 by anna" in told.stdout
    shown = ask("incidents", "show", opened)
    assert shown["severity"] == "SEV-3"
    (line,) = [moment for moment in shown["timeline"] if moment["what"].startswith("lowered")]
    assert line["reasons"][0]["text"] == "anna says: no customer"


def test_an_update_says_how_it_stands_grades_or_does_both(opened: str, run: Run, ask: Ask) -> None:
    said = run("incidents", "update", opened, "the database is full", "--as", "ben").stdout
    assert f"{opened}: status update by ben via the command line: the database is full" in said
    run("incidents", "update", opened, "worse than it seemed", "--severity", "SEV-0")
    shown = ask("incidents", "show", opened)
    assert shown["severity"] == "SEV-0"
    assert any("worse than it seemed" in each["what"] for each in shown["timeline"])
    assert "say how it stands" in run("incidents", "update", opened, code=2).output


def test_a_snooze_says_until_when_and_what_happens_then(opened: str, run: Run, ask: Ask) -> None:
    assert (
        f"{opened}: snoozed by ben via"
        in run("incidents", "snooze", opened, "--for", "2h", "--as", "ben").stdout
    )
    shown = ask("incidents", "show", opened)
    assert shown["snoozed_until"] == shown["next_action"]["at"]
    assert shown["next_action"]["what"] == "page again: ben's snooze is over"


def test_a_reassignment_pages_whom_it_names(opened: str, run: Run, ask: Ask) -> None:
    assert "reassigned to Ben" in run("incidents", "reassign", opened, "--to", "ben").stdout
    assert "ben" in ask("incidents", "show", opened)["paged"]


def test_a_role_is_handed_over(desk: Desk, run: Run, ask: Ask) -> None:
    run("incidents", "open", "The site is down", "--severity", "SEV-0", "--service", "site")
    said = run("incidents", "role", "INC-1", "incident commander", "--to", "ben", "--as", "anna").stdout
    assert "incident commander: ben, by anna via" in said
    told = [each for each in ask("incidents", "show", "INC-1")["deliveries"] if each["contact"] == "ben"]
    assert "update" in {each["kind"] for each in told}


def test_a_status_update_reaches_who_was_told(desk: Desk, run: Run, ask: Ask) -> None:
    run("incidents", "open", "The site is down", "--severity", "SEV-0", "--service", "site")
    before = ask("incidents", "show", "INC-1")
    said = run("incidents", "status", "INC-1", "investigating, no ETA yet", "--as", "anna").stdout
    assert "investigating, no ETA yet" in said
    shown = ask("incidents", "show", "INC-1")
    new = shown["deliveries"][len(before["deliveries"]) :]
    assert {each["kind"] for each in new} == {"update"}
    assert {each["contact"] for each in new} & {each["contact"] for each in before["deliveries"]}


def test_a_merge_ends_the_one_and_names_it_in_the_other(opened: str, run: Run, ask: Ask) -> None:
    run("incidents", "open", "Booking is slow", "--service", "booking")
    assert "INC-2: merged into INC-1" in run("incidents", "merge", "INC-2", "INC-1").stdout
    shown = ask("incidents", "show", "INC-2")
    assert (shown["status"], shown["merged_into"]) == ("resolved", "INC-1")
    assert "that is INC-1 now" in run("incidents", "ack", "INC-2").stdout
    assert ask("incidents", "show", "INC-1")["status"] == "acknowledged"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["snooze", "INC-1"], "give one of the two"),
        (["snooze", "INC-1", "--until", "-2h"], "give a later time"),
        (["reassign", "INC-1", "--to", "dora"], "no contact, team or schedule 'dora'; there are anna, ben"),
        (
            ["role", "INC-1", "cook", "--to", "ben"],
            "no role 'cook'; there are incident commander, technical lead",
        ),
        (["merge", "INC-1", "INC-1"], "cannot be merged into itself"),
    ],
)
def test_a_command_that_cannot_be_meant_is_refused(
    opened: str, run: Run, arguments: list[str], says: str
) -> None:
    assert says in run("incidents", *arguments, code=2).stderr
