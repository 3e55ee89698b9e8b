"""`tocsin oncall`: shifts are taken, shared, left, swapped and laid anew; all of it is told and exported."""

import pytest
from desk import Ask, Desk, Run

from routing.calendar.wall import local
from routing.instant import DAY, HOUR, iso, parse_iso
from routing.oncall import OnCall
from routing.oncall.icalendar import calendar


def at(time: str, ask: Ask) -> list[str]:
    found: list[str] = ask("oncall", "--at", time)["primary"]["contacts"]
    return found


@pytest.mark.usefixtures("desk")
def test_a_shift_is_taken_from_a_local_time_until_its_end(run: Run, ask: Ask) -> None:
    """2030-01-07 is a Monday on which the shift of a week begins at 09:00 in Warsaw."""
    said = run("oncall", "override", "primary", "cto", "--from", "2030-01-10T18:00").stdout
    assert "cto takes primary from 2030-01-10 18:00 CET until 2030-01-14 09:00 CET" in said
    assert at("2030-01-10T16:59", ask) != ["cto"]
    assert at("2030-01-10T17:00", ask) == at("2030-01-14T07:59", ask) == ["cto"]
    assert at("2030-01-14T08:00", ask) != ["cto"]


def test_a_time_of_day_is_the_next_one_on_the_schedules_clock(desk: Desk, run: Run, ask: Ask) -> None:
    run("oncall", "override", "primary", "cto", "--from", "18:00", "--until", "20:00")
    (override,) = ask("oncall", "overrides")
    from_at, until_at = parse_iso(override["from"]), parse_iso(override["until"])
    zone = desk.policy.schedules["primary"].timezone
    assert [f"{local(each, zone):%H:%M}" for each in (from_at, until_at)] == ["18:00", "20:00"]
    assert until_at - from_at == 2 * HOUR


@pytest.mark.usefixtures("desk")
def test_one_joins_leaves_or_watches_for_a_time(run: Run, ask: Ask) -> None:
    (regular,) = at("2030-01-10T12:00", ask)
    span = ("--from", "2030-01-10T12:00Z", "--until", "2030-01-10T14:00Z")
    run("oncall", "override", "primary", "cto", "--add", *span)
    assert at("2030-01-10T13:00", ask) == [regular, "cto"]
    run("oncall", "override", "primary", "security", "--instead-of", "cto", *span)
    assert at("2030-01-10T13:00", ask) == [regular, "security"]
    run("oncall", "override", "primary", regular, "--remove", *span)
    assert at("2030-01-10T13:00", ask) == ["security"]
    run("oncall", "override", "primary", "ceo", "--shadow", *span)
    found = ask("oncall", "--at", "2030-01-10T13:00")["primary"]
    assert (found["contacts"], found["shadows"]) == (["security"], ["ceo"])
    assert at("2030-01-10T14:00", ask) == [regular]


@pytest.mark.usefixtures("desk")
def test_two_swap_their_next_shifts(run: Run, ask: Ask) -> None:
    times = ("2030-01-10T12:00", "2030-01-17T12:00", "2030-01-24T12:00")
    before = [at(time, ask)[0] for time in times]
    run("oncall", "swap", "primary", before[0], before[1], "--from", "2030-01-08T00:00")
    assert [at(time, ask)[0] for time in times] == [before[1], before[0], before[2]]


@pytest.mark.usefixtures("desk")
def test_a_temporary_schedule_leaves_nobody_between_its_shifts_and_says_so(run: Run, ask: Ask) -> None:
    run(
        "oncall", "temporary", "primary", "--shift", "cto", "2029-12-24T09:00", "2029-12-25T09:00",
        "--shift", "ceo", "2029-12-26T09:00", "2029-12-27T09:00",
    )  # fmt: skip
    days = ("2029-12-24T12:00", "2029-12-25T12:00", "2029-12-26T12:00")
    assert [at(day, ask) for day in days] == [["cto"], [], ["ceo"]]
    found = ask("oncall", "--at", "2029-12-24T12:00")["primary"]
    assert found["gaps"] == [{"from": "2029-12-25T08:00:00.000Z", "until": "2029-12-26T08:00:00.000Z"}]
    said = run("oncall", "--at", "2029-12-24T12:00").stdout
    assert "primary: nobody from 2029-12-25 09:00 CET until 2029-12-26 09:00 CET" in said


@pytest.mark.usefixtures("desk")
def test_a_double_booking_is_told_to_both(run: Run, ask: Ask) -> None:
    (other,) = ask("oncall", "--at", "2030-01-10T12:00")["secondary"]["contacts"]
    run("oncall", "override", "primary", other, "--from", "2030-01-10T12:00Z", "--until", "2030-01-10T14:00Z")
    found = ask("oncall", "--at", "2030-01-10T11:00")
    booked = {"contact": other, "schedules": ["primary", "secondary"],
              "from": "2030-01-10T12:00:00.000Z", "until": "2030-01-10T14:00:00.000Z"}  # fmt: skip
    assert found["primary"]["double_booked"] == found["secondary"]["double_booked"] == [booked]
    assert (
        f"{other} is in primary and secondary at once from 2030-01-10 13:00 CET"
        in run("oncall", "--at", "2030-01-10T11:00").stdout
    )


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["override", "primary", "cto", "--instead-of", "anna", "--add"],
            "--instead-of and --add contradict",
        ),
        (["override", "primary", "cto", "--from", "half six"], "not a time: 'half six'; write"),
        (["swap", "primary", "anna", "anna"], "on call at the same time; nothing would change"),
        (["swap", "primary", "anna", "cto"], "cto has no shift in primary within a year; nothing to swap"),
        (["temporary", "primary", "--shift", "cto", "now", "-1h"], "it ends before it begins"),
        (["export", "--person", "nobody"], "no contact 'nobody'; there are anna"),
        (["export", "--schedule", "nothing"], "no schedule 'nothing'; there are primary"),
    ],
)
def test_what_makes_no_sense_is_misuse(run: Run, arguments: list[str], says: str) -> None:
    assert says in run("oncall", *arguments, code=2).stderr


@pytest.mark.usefixtures("desk")
def test_a_persons_shifts_are_exported_as_a_calendar(run: Run) -> None:
    window = ("--from", "2030-01-08T00:00Z", "--for", "28d")
    text = run("oncall", "export", "--person", "anna", *window).stdout_bytes.decode()
    lines = text.split("\r\n")
    assert (lines[0], lines[-2], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR", "")
    assert "\n" not in text.replace("\r\n", "")
    events = [part.split("\r\nEND:VEVENT")[0].split("\r\n") for part in text.split("BEGIN:VEVENT\r\n")[1:]]
    assert events
    named = [dict(line.split(":", 1) for line in event if not line.startswith(" ")) for event in events]
    whole = next(event for event in named if event["DTSTART"] == "20300114T080000Z")
    assert whole["DTEND"] == "20300121T080000Z"
    assert whole["SUMMARY"].startswith("On call: ")
    assert len({event["UID"] for event in named}) == len(named)
    again = run("oncall", "export", "--person", "anna", *window).stdout_bytes.decode()
    assert [line for line in again.split("\r\n") if line.startswith("UID")] == [
        line for line in lines if line.startswith("UID")
    ]


def test_a_long_reason_is_folded_and_escaped() -> None:
    begin = parse_iso("2030-01-07T08:00Z")
    shift = OnCall(("anna",), "żółć; a, b\\c\nd " * 12, begin, begin + DAY)
    text = calendar("On call: anna", "Europe/Warsaw", [("primary", "anna", shift)], begin)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    whole = text.replace("\r\n ", "")
    assert "DESCRIPTION:" + "żółć\\; a\\, b\\\\c\\nd " * 12 in whole
    assert f"DTSTART:{iso(begin)[:19].replace('-', '').replace(':', '')}Z" in whole
