"""`tocsin report`: what is printed and written, and that what a person adds is there the next time."""

from pathlib import Path

import pytest
from desk import Ask, Desk, Run

from console.periods import read
from ledger.archive import Archive, ArchivedIncident
from routing.decision import Table
from routing.instant import iso
from routing.record import encode


@pytest.fixture
def opened(desk: Desk, run: Run) -> str:
    del desk
    run("incidents", "open", "Checkout is slow", "--severity", "SEV-1", "--service", "checkout")
    run("incidents", "ack", "INC-1", "--as", "anna")
    run("incidents", "resolve", "INC-1", "--as", "anna")
    return "INC-1"


def test_what_is_added_to_a_report_is_there_the_next_time(opened: str, run: Run, ask: Ask) -> None:
    text = run("report", opened, "--impact", "41 visitors left", "--as", "ben").stdout
    assert text.startswith("# INC-1: Checkout is slow\n")
    run("report", opened, "--root-cause", "a full disk", "--preventive-measures", "larger disks")
    review = ask("report", opened)["review"]
    assert (review["impact"], review["root_cause"], review["measures"]) == (
        "41 visitors left", "a full disk", "larger disks",
    )  # fmt: skip
    assert ask("incidents", "show", opened)["timeline"][-2]["what"] == "report: impact written by ben"


def test_it_is_kept_for_what_is_in_the_archive_as_well(desk: Desk, opened: str, run: Run, ask: Ask) -> None:
    run("report", opened, "--impact", "41 visitors left")
    incident = desk.store.incident(opened)
    assert incident
    Archive(desk.archive).put(incidents=[ArchivedIncident(opened, 1, encode(incident), {}, ())])
    with desk.turn:
        desk.client.hdel(desk.keys.state(Table.INCIDENT), opened)
    run("report", opened, "--root-cause", "a full disk")
    found = ask("report", opened)
    assert (found["archived"], found["review"]["impact"], found["review"]["root_cause"]) == (
        True, "41 visitors left", "a full disk",
    )  # fmt: skip


@pytest.mark.parametrize("audience", ["management", "engineering"])
def test_a_report_is_written_to_a_file(opened: str, run: Run, tmp_path: Path, audience: str) -> None:
    file = tmp_path / "report.html"
    said = run("report", opened, "--format", "html", "--audience", audience, "--out", str(file)).stdout
    assert str(file) in said
    text = file.read_text()
    assert text.startswith("<!doctype html>")
    assert ("<svg" in text) == (audience == "engineering")


def test_a_file_that_cannot_be_written_is_named(opened: str, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "no" / "such" / "folder.md"
    assert f"{file} cannot be written" in run("report", opened, "--out", str(file), code=1).output


def test_what_is_no_incident_or_zone_or_too_long_is_refused(desk: Desk, run: Run) -> None:
    del desk
    assert "no incident 'INC-9'" in run("report", "INC-9", code=1).output
    assert "name an incident" in run("report", code=2).output
    assert "no time zone 'Warsaw'" in run("report", "INC-9", "--timezone", "Warsaw", code=2).output
    assert "write at most 4,000" in run("report", "INC-9", "--impact", "x" * 4_001, code=2).output


@pytest.mark.parametrize("period", ["month", "week", "2999-11", "2026-01-01..2999-01-01"])
def test_a_while_is_reported(opened: str, run: Run, ask: Ask, period: str) -> None:
    del opened
    found = ask("report", "--period", period)
    assert found["incidents"]["all"] == (0 if period == "2999-11" else 1)
    assert run("report", "--period", period).stdout.startswith("# Alarms from ")
    assert run("report", "--period", period, "--format", "html").stdout.startswith("<!doctype html>")


@pytest.mark.parametrize(
    "period", ["year", "2026-13", "2026-1", "2026-01-01..", "2026-01-02..2026-01-01", ""]
)
def test_what_is_no_while_is_refused(desk: Desk, run: Run, period: str) -> None:
    del desk
    run("report", "--period", period, code=2)


def test_days_are_those_of_the_readers_zone() -> None:
    begin, end = read("2026-11-01..2026-11-01")(0, "Europe/Warsaw")
    assert (iso(begin), iso(end)) == ("2026-10-31T23:00:00.000Z", "2026-11-01T23:00:00.000Z")
    begin, end = read("2026-12")(0, "UTC")
    assert (iso(begin), iso(end)) == ("2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z")
