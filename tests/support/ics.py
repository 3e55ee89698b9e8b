"""Calendars as programs write them, in as few words as a test needs."""

from collections.abc import Iterable

from routing.oncall.importing import Appointment, Book, Matched, match, read
from routing.policy import Contact, Method
from routing.reason import BUILT_IN

WARSAW = "Europe/Warsaw"


def calendar(*events: str, before: str = "") -> str:
    """Each event is its content lines, like "SUMMARY:anna"; an UID is added where there is none."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *before.splitlines()]
    for number, event in enumerate(events):
        uid = [] if "UID:" in event else [f"UID:e{number}"]
        lines += ["BEGIN:VEVENT", *uid, *(line.strip() for line in event.strip().splitlines()), "END:VEVENT"]
    return "".join(f"{line}\r\n" for line in (*lines, "END:VCALENDAR"))


def appointments(text: str | bytes, from_at: int, until_at: int, zone: str = WARSAW) -> list[Appointment]:
    return read(text if isinstance(text, bytes) else text.encode(), zone, from_at, until_at)


def contact(name: str, title: str = "", mails: Iterable[str] = ()) -> Contact:
    methods = tuple(Method("mail", mail) for mail in mails)
    return Contact(name, title or name, WARSAW, methods, {}, methods, BUILT_IN)


def book(*contacts: Contact, names: dict[str, str] | None = None, skipped: Iterable[str] = ()) -> Book:
    return Book({each.name: each for each in contacts}, names or {}, frozenset(skipped))


def matched(text: str, people: Book, from_at: int, until_at: int, schedule: str = "primary") -> Matched:
    return match(appointments(text, from_at, until_at), people, schedule)
