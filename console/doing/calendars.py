"""The shifts of a calendar, laid over a schedule as one thing; nothing is, while it is not known whose one is."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from shlex import quote
from typing import Any

import click
import msgspec

from console.context import Context
from console.doing.entries import Done, Who, do
from console.doing.oncall import known_contact, known_schedule
from console.output import one_line, wall_clock
from ledger.clock import now_ms
from ledger.views.times import iso
from routing.decision import Table
from routing.entry import OverrideSet
from routing.instant import DAY
from routing.oncall import importing
from routing.policy import Contact, Schedule

AHEAD = 90 * DAY
_reading = threading.Lock()
"""The calendar library keeps the time zones of the text it reads for all of the process."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`names`: title -> contact. What has a title of `skip` is no shift. `from_at` (ms) 0: now, and the 30 days before.
    `length` in ms. `place`: where the text is from, for messages.
    """

    schedule: str
    text: bytes
    names: Mapping[str, str] = field(default_factory=dict)
    skip: Sequence[str] = ()
    from_at: int = 0
    length: int = AHEAD
    exclusive: bool = False
    place: str = "the calendar"


@dataclass(frozen=True, slots=True)
class Laid:
    """`entry` is None where `matched` has anything unknown; `done` where nothing was appended.
    `writes`: of each unknown one, what to write about it.
    """

    wanted: Wanted
    matched: importing.Matched
    entry: OverrideSet | None = None
    changed: bool = False
    dry_run: bool = False
    done: Done | None = None
    writes: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        entry = self.entry
        return {
            "id": importing.import_id(self.wanted.schedule), "schedule": self.wanted.schedule, "changed": self.changed,
            "dry_run": self.dry_run, "exclusive": entry.exclusive if entry else self.wanted.exclusive,
            "from": iso(entry.from_at) if entry else None, "until": iso(entry.until_at) if entry else None,
            "shifts": [{"contact": each.contact, "from": iso(each.from_at), "until": iso(each.until_at)}
                       for each in self.matched.shifts],
            "remarks": list(self.matched.remarks),
            "unknown": [
                {"line": each.appointment.line, "uid": each.appointment.uid, "title": each.appointment.title,
                 "from": iso(each.appointment.from_at), "times": each.times, "found": each.found, "write": write}
                for each, write in zip(self.matched.unknown, self.writes, strict=True)
            ],
        }  # fmt: skip


def lay(context: Context, who: Who, wanted: Wanted, *, dry_run: bool = False) -> Laid:
    """In place of what was imported over it before. Raises click.UsageError, click.ClickException, Undecided."""
    plan = known_schedule(context, wanted.schedule)
    contacts = context.policy.contacts
    for contact in wanted.names.values():
        known_contact(context, contact)
    if plan.feed and not dry_run:
        raise click.ClickException(
            f"{plan.name} follows a feed, which would take its place; see: tocsin oncall"
        )
    now = now_ms()
    window = _window(wanted, now)
    matched = _matched(plan, importing.Book(contacts, wanted.names, frozenset(wanted.skip)), window, wanted)
    if matched.unknown:
        writes = [_write(each, contacts) for each in matched.unknown]
        return Laid(wanted, matched, dry_run=dry_run, writes=writes)
    if not any(shift.until_at > now for shift in matched.shifts):
        raise click.ClickException(_empty(plan, window, wanted, matched))
    laid = importing.overlay(plan.name, matched.shifts, exclusive=wanted.exclusive, at=now, by=who.name)
    entry = msgspec.structs.replace(laid, client=who.client)
    known = context.store.records(Table.OVERRIDE, OverrideSet).get(entry.id)
    changed = not importing.same_shifts(entry, known)
    done = do(context, who, entry) if changed and not dry_run else None
    return Laid(wanted, matched, entry, changed, dry_run, done)


def _window(wanted: Wanted, now: int) -> tuple[int, int]:
    if not wanted.from_at:
        return importing.window(now, wanted.length)
    return wanted.from_at, wanted.from_at + wanted.length


def _matched(
    plan: Schedule, book: importing.Book, window: tuple[int, int], wanted: Wanted
) -> importing.Matched:
    try:
        with _reading:
            found = importing.read(wanted.text, plan.timezone, *window)
        return importing.match(found, book, plan.name)
    except importing.CalendarError as error:
        raise click.ClickException(f"{wanted.place}: {error}") from error


def _write(unknown: importing.Unknown, contacts: Mapping[str, Contact]) -> str:
    title = one_line(unknown.appointment.title)
    if not title:
        return "a title into the calendar, or invite whose it is"
    close = closest(title, contacts)
    return f"--name {quote(title)}={close or 'CONTACT'}, or --skip {quote(title)}"


def closest(title: str, contacts: Mapping[str, Contact]) -> str:
    """The contact whose name or title is most like it; "" where none is."""
    spoken = {name.casefold(): each.name for each in contacts.values() for name in (each.name, each.title)}
    close = get_close_matches(title.casefold(), spoken, n=1)
    return spoken[close[0]] if close else ""


def _empty(plan: Schedule, window: tuple[int, int], wanted: Wanted, matched: importing.Matched) -> str:
    begin, end = (wall_clock(at, plan.timezone) for at in window)
    left_out = f" ({'; '.join(map(one_line, matched.remarks))})" if matched.remarks else ""
    return (
        f"{wanted.place} has no shift between {begin} and {end} that is not over{left_out}; nothing was changed. "
        f"To take back what was imported before: tocsin oncall remove {importing.import_id(plan.name)}"
    )
