"""`tocsin oncall import`: a calendar's shifts are laid as one thing, or nothing is changed and it says why."""

from pathlib import Path
from typing import Any

import click
import pytest
from desk import Ask, Desk, Run
from followed import follow
from ics import calendar
from vendor_server import Asked, Misbehaviour, Reply, VendorServer

from console.calendar_text import calendar_text
from ledger import feeds
from routing.instant import HOUR, parse_iso
from routing.oncall.importing import MOST_OCTETS, FeedHealth, failing

pytestmark = pytest.mark.usefixtures("desk")

FROM = ("--from", "2030-01-01T00:00", "--for", "60d")
CTO = """DTSTART;TZID=Europe/Warsaw:20300110T090000
DTEND;TZID=Europe/Warsaw:20300111T090000
SUMMARY:cto
ATTENDEE:mailto:CTO@example.com"""
CEO = "DTSTART;VALUE=DATE:20300113\nSUMMARY:ceo"
DUTY = "UID:d-1\nDTSTART:20300112T080000Z\nDURATION:PT8H\nRRULE:FREQ=DAILY;COUNT=3\nSUMMARY:Anna K."


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "shifts.ics", CTO, CEO)


def written(file: Path, *events: str) -> Path:
    file.write_text(calendar(*events), newline="")
    return file


def contacts(time: str, ask: Ask) -> list[str]:
    found: list[str] = ask("oncall", "--at", time)["primary"]["contacts"]
    return found


def test_shifts_are_laid_and_the_schedules_own_people_stay_on_call_between_them(
    file: Path, run: Run, ask: Ask
) -> None:
    (regular,) = contacts("2030-01-12T12:00", ask)
    said = run("oncall", "import", "primary", str(file), *FROM).stdout
    assert (
        "primary follows 2 shifts of the calendar from 2030-01-10 09:00 CET until 2030-01-14 00:00 CET"
        in said
    )
    times = (
        "2030-01-10T07:59",
        "2030-01-10T08:00",
        "2030-01-12T12:00",
        "2030-01-12T23:00",
        "2030-01-13T23:00",
    )
    assert [contacts(time, ask) for time in times] == [[regular], ["cto"], [regular], ["ceo"], [regular]]
    found = ask("oncall", "--at", "2030-01-10T08:00")["primary"]
    assert found["reason"] == "cto is on call in primary by calendar ical-primary, set by anna"
    run("oncall", "import", "primary", str(file), "--exclusive", *FROM)
    assert [contacts(time, ask) for time in times] == [[regular], ["cto"], [], ["ceo"], [regular]]
    run("oncall", "remove", "ical-primary")
    assert contacts("2030-01-10T08:00", ask) == [regular]


def test_the_same_calendar_changes_nothing_and_another_takes_its_place(
    file: Path, run: Run, ask: Ask
) -> None:
    run(
        "oncall",
        "override",
        "primary",
        "security",
        "--from",
        "2030-01-20T09:00",
        "--until",
        "2030-01-21T09:00",
    )
    first = ask("oncall", "import", "primary", str(file), *FROM)
    assert (first["changed"], first["id"], len(first["shifts"])) == (True, "ical-primary", 2)
    assert first["shifts"][0] == {
        "contact": "cto", "from": "2030-01-10T08:00:00.000Z", "until": "2030-01-11T08:00:00.000Z",
    }  # fmt: skip
    before = ask("oncall", "overrides")
    assert ask("oncall", "import", "primary", str(file), "--as", "ben", *FROM)["changed"] is False
    assert "as it did before" in run("oncall", "import", "primary", str(file), *FROM).stdout
    assert ask("oncall", "overrides") == before
    written(file, CEO)
    assert ask("oncall", "import", "primary", str(file), *FROM)["changed"] is True
    assert [(each["id"], each["kind"], len(each["shifts"])) for each in ask("oncall", "overrides")] == [
        ("ical-primary", "import", 1), (before[1]["id"], "replace", 0),
    ]  # fmt: skip


def test_a_dry_run_shows_the_shifts_and_changes_nothing(file: Path, run: Run, ask: Ask) -> None:
    said = run("oncall", "import", "primary", str(file), "--dry-run", *FROM).stdout
    assert "cto      2030-01-10 09:00 CET  2030-01-11 09:00 CET" in said
    assert "primary would follow" in said
    assert ask("oncall", "import", "primary", str(file), "--dry-run", *FROM)["changed"] is True
    assert ask("oncall", "overrides") == []


def test_shifts_of_nobody_are_named_together_and_nothing_is_changed(
    tmp_path: Path, run: Run, ask: Ask
) -> None:
    lunch = "UID:l-1\nDTSTART:20300112T110000Z\nDURATION:PT1H\nSUMMARY:Team lunch\nATTENDEE:mailto:zoe@example.com"
    file = str(written(tmp_path / "a.ics", CTO, DUTY, lunch))
    said = run("oncall", "import", "primary", file, *FROM, code=1).stderr
    assert (
        "line 11: 'Anna K.' from 2030-01-12 09:00 CET, 3 times (uid d-1): nobody is invited, and its title is no "
        "contact's; write --name 'Anna K.'=anna, or --skip 'Anna K.'"
    ) in said
    assert (
        "line 18: 'Team lunch' from 2030-01-12 12:00 CET (uid l-1): invited: zoe@example.com; write" in said
    )
    assert "Nothing was changed" in said
    unknown = ask("oncall", "import", "primary", file, *FROM, code=1)["unknown"]
    assert [(each["line"], each["uid"], each["times"]) for each in unknown] == [
        (11, "d-1", 3),
        (18, "l-1", 1),
    ]
    assert ask("oncall", "overrides") == []
    found = ask("oncall", "import", "primary", file, "--name", "anna k.=ben", "--skip", "team lunch", *FROM)
    assert [each["contact"] for each in found["shifts"]] == ["cto", "ben", "ben", "ben"]
    assert found["remarks"] == ["'Team lunch' is skipped"]


def test_our_own_export_is_imported_to_the_same_shifts(tmp_path: Path, run: Run, ask: Ask) -> None:
    window = ("--from", "2030-03-20T00:00Z", "--for", "20d")
    file = tmp_path / "own.ics"
    file.write_bytes(run("oncall", "export", "--schedule", "secondary", *window).stdout_bytes)
    said = run(
        "oncall", "import", "primary", str(file), "--from", "2030-03-20T00:00Z", "--for", "20d", code=1
    ).stderr
    assert "has no shift between" in said
    assert "(a shift of secondary is left out (4 times)); nothing was changed" in said
    found = ask("oncall", "import", "secondary", str(file), *window)["shifts"]
    assert [each["from"] for each in found] == [
        "2030-03-18T08:00:00.000Z", "2030-03-25T08:00:00.000Z", "2030-04-01T07:00:00.000Z", "2030-04-08T07:00:00.000Z",
    ]  # fmt: skip
    times = [f"2030-03-{day}T12:00" for day in range(18, 32)]
    before = [ask("oncall", "--at", time)["secondary"]["contacts"] for time in times]
    assert before == [
        [each["contact"] for each in found if each["from"] <= time < each["until"]] for time in times
    ]
    mine = run("oncall", "export", "--person", "anna", *window).stdout_bytes
    again = run("oncall", "import", "primary", "-", *window, "--dry-run", stdin=mine).stdout
    assert "ben" not in again


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<html>", "line 1: '<html>' where BEGIN:VCALENDAR is expected; is it a calendar?"),
        (calendar(CTO)[:-30], "it ends within the VEVENT that begins in line 4"),
        (calendar(CTO.replace("Europe/Warsaw", "Mars/Base")), "line 4: the event 'cto': its DTSTART is in the time zone"),
        (calendar("DTSTART:20200101T080000Z\nDURATION:PT8H\nSUMMARY:cto"), "has no shift between"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_changes_nothing(text: str, says: str, run: Run, ask: Ask) -> None:
    said = run("oncall", "import", "primary", "-", stdin=text, code=1).stderr
    assert says in said
    assert ask("oncall", "overrides") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing", "-"], "no schedule 'nothing'; there are primary"),
        (["primary", "-", "--name", "Anna"], "--name 'Anna' is no pair; write --name"),
        (["primary", "-", "--name", "Anna=zoe"], "no contact 'zoe'; there are anna"),
        (["primary", "-", "--from", "soon"], "not a time: 'soon'"),
    ],
)
def test_what_makes_no_sense_is_misuse(arguments: list[str], says: str, run: Run) -> None:
    assert says in run("oncall", "import", *arguments, code=2).stderr


def test_a_file_that_is_not_there_is_named(run: Run) -> None:
    assert (
        "none.ics: No such file or directory" in run("oncall", "import", "primary", "none.ics", code=1).stderr
    )


def test_it_is_fetched_from_an_address(run: Run, ask: Ask) -> None:
    with VendorServer(
        lambda _: Reply(200, calendar(CTO, CEO).encode(), {"Content-Type": "text/calendar"})
    ) as server:
        found = ask("oncall", "import", "primary", f"{server.url}/private-5f2/basic.ics", *FROM)
        assert [each["contact"] for each in found["shifts"]] == ["cto", "ceo"]
        assert server.calls[0].headers["accept"] == "text/calendar"


def moved(_asked: Asked) -> Reply:
    return Reply(301, b"", {"Location": "https://elsewhere.example/a.ics"})


def huge(_asked: Asked) -> Reply:
    return Reply(200, b"x" * (MOST_OCTETS + 2))


@pytest.mark.parametrize(
    ("answer", "how", "says"),
    [
        (None, {"status": 404}, "127.0.0.1 answered 404"),
        (None, {"status": 500}, "127.0.0.1 answered 500"),
        (None, {"hang_up": True}, "127.0.0.1 cannot be asked: "),
        (None, {"garbage": True}, "127.0.0.1: line 1: it is not UTF-8"),
        (moved, {}, "127.0.0.1 answered 301, it moved; import it from https://elsewhere.example/a.ics"),
        (huge, {}, "127.0.0.1: it has more than 5000000 octets"),
    ],
)  # fmt: skip
def test_an_address_that_gives_no_calendar_says_why_and_never_the_address(
    answer: Any, how: dict[str, Any], says: str, run: Run, ask: Ask
) -> None:
    with VendorServer(answer) as server:
        server.misbehave(Misbehaviour(**how))
        said = run("oncall", "import", "primary", f"{server.url}/private-5f2/basic.ics", code=1).stderr
    assert says in said
    assert "private-5f2" not in said
    assert ask("oncall", "overrides") == []


def test_an_address_that_is_silent_is_given_up() -> None:
    with VendorServer() as server:
        server.misbehave(Misbehaviour(delay_s=30))
        with pytest.raises(click.ClickException, match=r"127\.0\.0\.1 did not answer within 0\.2 s"):
            calendar_text(f"{server.url}/slow.ics", timeout_s=0.2)


def test_a_schedule_that_follows_a_feed_takes_no_import(desk: Desk, file: Path, run: Run, ask: Ask) -> None:
    follow(desk, {"url": "https://calendar.example.com/basic.ics"})
    said = run("oncall", "import", "primary", str(file), *FROM, code=1).stderr
    assert "primary follows a feed, which would take its place" in said
    assert ask("oncall", "overrides") == []
    assert len(ask("oncall", "import", "primary", str(file), "--dry-run", *FROM)["shifts"]) == 2


def test_a_feed_that_cannot_be_read_is_shown(desk: Desk, run: Run, ask: Ask) -> None:
    at = parse_iso("2026-11-24T08:00Z")
    found = failing(FeedHealth(looked_at=0, every_ms=HOUR), "calendar.example.com answered 404", at)
    feeds.show(desk.client, desk.keys, "primary", found)
    assert (
        "primary: its feed cannot be read since 2026-11-24 08:00:00 UTC, its last shifts stay: "
        "calendar.example.com answered 404"
    ) in run("oncall").stdout
    assert ask("oncall")["primary"]["feed"] == {
        "looked": "2026-11-24T08:00:00.000Z", "read": None, "failing_since": "2026-11-24T08:00:00.000Z",
        "reason": "calendar.example.com answered 404", "until": None,
    }  # fmt: skip
    assert ask("oncall")["secondary"]["feed"] is None
