"""Calendars of others are read as their programs show them, and what would have to be guessed is refused."""

import sys
from itertools import pairwise

import pytest
from ics import WARSAW, appointments, book, calendar, contact, matched

from routing.calendar.wall import local
from routing.instant import DAY, parse_iso
from routing.oncall.importing import MOST_OCTETS, CalendarError

BEGIN, END = parse_iso("2026-01-01T00:00Z"), parse_iso("2026-12-31T00:00Z")
ANNA = contact("anna", "Anna (DevOps engineer)", ["anna@example.com", "us@example.com"])
BEN = contact("ben", "Ben", ["ben@example.com", "us@example.com"])
PEOPLE = book(ANNA, BEN, contact("cto", "Boss", ["cto@example.com"]))

ZONE = """BEGIN:VTIMEZONE
TZID:Office
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0{0}00
TZOFFSETTO:+0{0}00
END:STANDARD
END:VTIMEZONE"""


def told(*events: str, before: str = "", zone: str = WARSAW) -> list[str]:
    """Each as "2026-03-23 09:00 > 03-30 09:00 anna", on a clock in Warsaw."""
    found = appointments(calendar(*events, before=before), BEGIN, END, zone)
    return [
        f"{local(each.from_at, WARSAW):%m-%d %H:%M} > {local(each.until_at, WARSAW):%m-%d %H:%M} {each.title}"
        for each in found
    ]


WEEKLY = """DTSTART;TZID=Europe/Warsaw:20260323T090000
DTEND;TZID=Europe/Warsaw:20260330T090000
RRULE:FREQ=WEEKLY;COUNT=3
SUMMARY:anna"""


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param(
            [WEEKLY],
            ["03-23 09:00 > 03-30 09:00 anna", "03-30 09:00 > 04-06 09:00 anna", "04-06 09:00 > 04-13 09:00 anna"],
            id="what repeats hands over at the same time of day on both sides of a change of the clocks",
        ),
        pytest.param(
            [WEEKLY.replace("COUNT=3", "COUNT=3\nEXDATE;TZID=Europe/Warsaw:20260330T090000")],
            ["03-23 09:00 > 03-30 09:00 anna", "04-06 09:00 > 04-13 09:00 anna"],
            id="a date left out",
        ),
        pytest.param(
            [WEEKLY.replace("COUNT=3", "COUNT=1\nRDATE;TZID=Europe/Warsaw:20260601T090000")],
            ["03-23 09:00 > 03-30 09:00 anna", "06-01 09:00 > 06-08 09:00 anna"],
            id="a date added",
        ),
        pytest.param(
            [
                f"UID:w\n{WEEKLY}",
                """UID:w
                RECURRENCE-ID;TZID=Europe/Warsaw:20260330T090000
                DTSTART;TZID=Europe/Warsaw:20260331T100000
                DTEND;TZID=Europe/Warsaw:20260406T090000
                SUMMARY:ben""",
            ],
            ["03-23 09:00 > 03-30 09:00 anna", "03-31 10:00 > 04-06 09:00 ben", "04-06 09:00 > 04-13 09:00 anna"],
            id="one of them moved and given to another",
        ),
        pytest.param(
            [
                f"UID:w\n{WEEKLY}",
                """UID:w
                RECURRENCE-ID;TZID=Europe/Warsaw:20260330T090000
                DTSTART;TZID=Europe/Warsaw:20260330T090000
                DTEND;TZID=Europe/Warsaw:20260406T090000
                STATUS:CANCELLED
                SUMMARY:anna""",
            ],
            ["03-23 09:00 > 03-30 09:00 anna", "04-06 09:00 > 04-13 09:00 anna"],
            id="one of them cancelled",
        ),
        pytest.param([f"{WEEKLY}\nSTATUS:CANCELLED"], [], id="all of them cancelled"),
        pytest.param(
            ["DTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260330\nSUMMARY:anna"],
            ["03-28 00:00 > 03-30 00:00 anna"],
            id="whole days, the last of them not included",
        ),
        pytest.param(
            ["DTSTART;VALUE=DATE:20260328\nSUMMARY:anna"], ["03-28 00:00 > 03-29 00:00 anna"], id="one whole day"
        ),
        pytest.param(
            ["DTSTART:20260328T120000\nDURATION:PT12H\nSUMMARY:anna"],
            ["03-28 12:00 > 03-29 00:00 anna"],
            id="a time of no zone is the schedule's",
        ),
        pytest.param(
            ["DTSTART:20260328T120000Z\nDTEND:20260328T130000Z\nSUMMARY:anna"],
            ["03-28 13:00 > 03-28 14:00 anna"],
            id="UTC",
        ),
        pytest.param(
            ["DTSTART;TZID=America/New_York:20260328T120000\nDTEND;TZID=Asia/Tokyo:20260329T120000\nSUMMARY:anna"],
            ["03-28 17:00 > 03-29 05:00 anna"],
            id="two zones",
        ),
        pytest.param(
            ["DTSTART;TZID=Tokyo Standard Time:20260328T120000\nDURATION:PT1H\nSUMMARY:anna"],
            ["03-28 04:00 > 03-28 05:00 anna"],
            id="a zone by the name Windows gives it",
        ),
        pytest.param(
            ["DTSTART;TZID=Europe/Warsaw:20260329T023000\nDTEND;TZID=Europe/Warsaw:20260329T040000\nSUMMARY:anna"],
            ["03-29 03:30 > 03-29 04:00 anna"],
            id="a time in a gap counts from the offset before it",
        ),
        pytest.param(["DTSTART:20260328T120000Z\nSUMMARY:anna"], [], id="what has no length is no shift"),
    ],
)  # fmt: skip
def test_it_is_read_as_a_calendar_shows_it(events: list[str], expected: list[str]) -> None:
    assert told(*events) == expected


def test_a_zone_that_the_file_defines_is_its_own() -> None:
    """The parser remembers zones by name; the next calendar's may be another one."""
    event = "DTSTART;TZID=Office:20260601T120000\nDURATION:PT1H\nSUMMARY:anna"
    assert told(event, before=ZONE.format(5)) == ["06-01 09:00 > 06-01 10:00 anna"]
    assert told(event, before=ZONE.format(8)) == ["06-01 06:00 > 06-01 07:00 anna"]
    with pytest.raises(CalendarError, match="is in the time zone 'Office', which is neither defined"):
        told(event)


@pytest.mark.parametrize("zone", ["Africa/Cairo", "America/Asuncion", "Asia/Beirut", "Pacific/Apia"])
def test_a_whole_day_is_the_schedules_day(zone: str) -> None:
    """Midnight does not exist in these zones now and then: the day begins when the clocks stop changing."""
    text = calendar("DTSTART;VALUE=DATE:20110101\nRRULE:FREQ=DAILY;COUNT=400\nSUMMARY:anna")
    days = appointments(text, parse_iso("2011-01-01T00:00Z"), parse_iso("2012-01-20T00:00Z"), zone)
    assert all(one.until_at == two.from_at for one, two in pairwise(days))
    assert len(days) == len({each.from_at for each in days}) >= 379


def test_only_what_touches_the_time_is_read_and_never_cut() -> None:
    daily = calendar("DTSTART:20260101T000000Z\nDTEND:20260102T000000Z\nRRULE:FREQ=DAILY\nSUMMARY:anna")
    noon = parse_iso("2026-05-05T12:00Z")
    found = appointments(daily, noon, noon + DAY)
    assert [each.from_at for each in found] == [noon - DAY // 2, noon + DAY // 2]
    assert [each.until_at - each.from_at for each in found] == [DAY, DAY]
    assert appointments(daily, noon - DAY // 2, noon - DAY // 2) == []


EVENT = "DTSTART:20260328T120000Z\nDTEND:20260328T130000Z\nSUMMARY:Late shift"
WHOLE = calendar(EVENT)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        ("<html><body>Please sign in</body></html>", "line 1: '<html><body>Please sign in</body></html>' where BEGIN:VCALENDAR"),
        (b"BEGIN:VCALENDAR\r\nSUMMARY:\xb3\xf3d\xbc\r\nEND:VCALENDAR", "line 2: it is not UTF-8; save it as UTF-8"),
        (WHOLE[: WHOLE.index("SUMMARY")], "it ends within the VEVENT that begins in line 4; get the whole of it"),
        (WHOLE.replace("END:VEVENT\r\n", ""), "line 9: END:'VCALENDAR' within the VEVENT that begins in line 4"),
        (WHOLE + "END:VCALENDAR\r\n", "line 11: 'END:VCALENDAR' where BEGIN:VCALENDAR is expected"),
        (WHOLE.replace("20260328T120000Z", "soon"), "line 4: the event 'Late shift': its DTSTART cannot be read"),
        (WHOLE.replace("DTEND:20260328T130000Z", "DTEND:later"), "line 4: the event 'Late shift': its DTEND cannot be read"),
        (WHOLE.replace("DTSTART:20260328T120000Z\r\n", ""), "line 4: the event 'Late shift': it has no DTSTART"),
        (WHOLE.replace("20260328T130000Z", "20260327T130000Z"), "line 4: the event 'Late shift': it ends before it begins"),
        (WHOLE.replace("DTSTART:20260328T120000Z", "DTSTART;TZID=Mars/Base:20260328T120000"), "its DTSTART is in the time zone 'Mars/Base', which is neither"),
        (calendar(f"{EVENT}\nRRULE:FREQ=DAILY\nEXDATE;TZID=Mars/Base:20260328T120000"), "its EXDATE is in the time zone 'Mars/Base'"),
        (calendar(f"{EVENT}\nRRULE:FREQ=NOW"), "its RRULE cannot be read"),
        (calendar(f"{EVENT}\nRRULE:COUNT=2"), "its RRULE has no FREQ"),
        (calendar(f"{EVENT}\nRRULE:FREQ=SECONDLY"), "repeats more than 4 times an hour"),
        (calendar(f"{EVENT}\nRRULE:FREQ=HOURLY;BYMINUTE=0,1,2,3,4"), "repeats more than 4 times an hour"),
        (calendar(f"{EVENT}\nRRULE:FREQ=HOURLY"), "more than 1000 shifts in the time asked for; ask for less (--for)"),
        (b" " * (MOST_OCTETS + 1), "it has more than 5000000 octets"),
        ("BEGIN:VCALENDAR\r\n" + "BEGIN:VEVENT\r\nEND:VEVENT\r\n" * 20_001 + "END:VCALENDAR", "it has 20001 events, at most 20000 are read"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_says_where_and_why(text: str | bytes, says: str) -> None:
    with pytest.raises(CalendarError) as raised:
        appointments(text, BEGIN, END)
    assert says in str(raised.value)


def test_without_the_packages_it_says_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "icalendar", None)
    with pytest.raises(CalendarError, match=r"pip install 'tocsin\[ical\]'"):
        appointments(WHOLE, BEGIN, END)


def whose(*lines: str, names: dict[str, str] | None = None) -> tuple[list[str], list[str]]:
    """Whose shift an event with these lines is, and what is said when it is nobody's."""
    event = "\n".join(("DTSTART:20260328T120000Z", "DURATION:PT1H", *lines))
    found = matched(calendar(event), book(*PEOPLE.contacts.values(), names=names), BEGIN, END)
    return [shift.contact for shift in found.shifts], [each.found for each in found.unknown]


def invites(mail: str, more: str = "") -> str:
    return f"ATTENDEE;CN=Somebody{more}:mailto:{mail}"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["SUMMARY:Duty", invites("Ben@Example.com")], ["ben"]),
        (["SUMMARY:Duty", invites("ben@example.com"), invites("anna@example.com")], ["anna", "ben"]),
        (["SUMMARY:Duty", invites("ben@example.com"), invites("anna@example.com", ";PARTSTAT=DECLINED")], ["ben"]),
        (["SUMMARY:Duty", invites("ben@example.com"), invites("cto@example.com", ";ROLE=NON-PARTICIPANT")], ["ben"]),
        (["SUMMARY:Duty", "ORGANIZER:mailto:cto@example.com", invites("ben@example.com")], ["ben"]),
        (["SUMMARY:ANNA"], ["anna"]),
        (["SUMMARY:anna  (devops Engineer)"], ["anna"]),
        (["SUMMARY:Ben", "ORGANIZER:mailto:cto@example.com"], ["ben"]),
        (["SUMMARY:Duty", "ORGANIZER:mailto:cto@example.com"], ["cto"]),
        (["SUMMARY:On call: primary (ben)"], ["ben"]),
    ],
)  # fmt: skip
def test_whose_it_is_follows_from_who_is_invited_then_the_title_then_the_organizer(
    lines: list[str], expected: list[str]
) -> None:
    assert whose(*lines) == (expected, [])


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["SUMMARY:Duty"], "nobody is invited, and its title is no contact's"),
        (["SUMMARY:Duty", invites("zoe@example.com")], "invited: zoe@example.com"),
        (["SUMMARY:Duty", invites("us@example.com")], "invited: us@example.com"),
        (["SUMMARY:Ben", invites("anna@example.com")], "its title names ben, who is not invited"),
        (["SUMMARY:Ben", invites("ben@example.com", ";PARTSTAT=DECLINED")], "its title names ben, who declined"),
        (
            ["SUMMARY:Duty", "ORGANIZER:mailto:cto@example.com", invites("ben@example.com", ";PARTSTAT=DECLINED")],
            "declined: ben@example.com; organized by cto@example.com",
        ),
        (["SUMMARY:On call: primary (zoe)"], "nobody is invited, and its title is no contact's"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_or_names_nobody_is_nobodys(lines: list[str], says: str) -> None:
    assert whose(*lines) == ([], [says])
    assert whose(*lines, names={lines[0].removeprefix("SUMMARY:").upper(): "cto"}) == (["cto"], [])


def test_what_is_left_out_is_said() -> None:
    hour = "DTSTART:20260328T120000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2"
    people = book(ANNA, BEN, skipped=["team lunch"])
    text = calendar(
        f"{hour}\nSUMMARY:Team Lunch", f"{hour}\nSUMMARY:On call: secondary (ben)",
        f"{hour}\nSUMMARY:Duty\n{invites('anna@example.com')}\n{invites('zoe@example.com')}",
    )  # fmt: skip
    found = matched(text, people, BEGIN, END)
    assert [shift.contact for shift in found.shifts] == ["anna", "anna"]
    assert sorted(found.remarks) == [
        "'Team Lunch' is skipped (2 times)", "a shift of secondary is left out (2 times)",
        "zoe@example.com is invited, and is no contact's address (2 times)",
    ]  # fmt: skip


def test_two_who_share_a_title_are_not_told_apart() -> None:
    people = book(contact("anna", "Engineer"), contact("ben", "Engineer"))
    event = "DTSTART:20260328T120000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nSUMMARY:Engineer"
    (unknown,) = matched(calendar(event), people, BEGIN, END).unknown
    assert (unknown.times, unknown.appointment.line) == (3, 4)
