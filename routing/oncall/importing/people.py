"""Whose shift an appointment is: told, or by who is invited, by its title, by who organizes it, in this order."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from routing.entry import Shift
from routing.oncall.icalendar import titled
from routing.oncall.importing.appointments import Appointment
from routing.policy import Contact


@dataclass(frozen=True)
class Book:
    """Who is who. `names` say whose a title is; what has a title in `skipped` is no shift. Case does not matter."""

    contacts: Mapping[str, Contact]
    names: Mapping[str, str] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()

    def by_mail(self, mail: str) -> str:
        """The contact; "" when it is nobody's address, or that of several."""
        return _only(self._mails.get(mail, set()))

    def by_title(self, title: str) -> str:
        """The contact of that name or title; "" when there is none, or several."""
        return _only(self._titles.get(_plain(title), set()))

    def told(self, title: str) -> str:
        return self._told.get(_plain(title), "")

    def skips(self, title: str) -> bool:
        return _plain(title) in self._skips

    @cached_property
    def _mails(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for contact in self.contacts.values():
            for method in contact.methods:
                if "@" in method.address:
                    found.setdefault(method.address.lower(), set()).add(contact.name)
        return found

    @cached_property
    def _titles(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for contact in self.contacts.values():
            for title in (contact.name, contact.title):
                found.setdefault(_plain(title), set()).add(contact.name)
        return found

    @cached_property
    def _told(self) -> dict[str, str]:
        return {_plain(title): contact for title, contact in self.names.items()}

    @cached_property
    def _skips(self) -> frozenset[str]:
        return frozenset(map(_plain, self.skipped))


@dataclass(frozen=True, slots=True)
class Unknown:
    """An appointment of nobody; `times` counts those of the same title. `found` says what it names instead."""

    appointment: Appointment
    times: int
    found: str


@dataclass(frozen=True, slots=True)
class Matched:
    """`remarks` say what was left out. Shifts are in order, none of them twice."""

    shifts: tuple[Shift, ...]
    unknown: tuple[Unknown, ...]
    remarks: tuple[str, ...]


def match(appointments: Iterable[Appointment], book: Book, schedule: str) -> Matched:
    """Whose shifts they are, for this schedule. With anything unknown the shifts are not all there are."""
    taken: dict[tuple[int, int, str], Shift] = {}
    unknown: dict[str, list[tuple[Appointment, str]]] = {}
    remarks: Counter[str] = Counter()
    for each in appointments:
        if remark := _no_shift(each, book, schedule):
            remarks[remark] += 1
            continue
        found = _Whose(each, book)
        for contact in found.contacts:
            shift = Shift(contact=contact, from_at=each.from_at, until_at=each.until_at)
            taken[shift.from_at, shift.until_at, contact] = shift
        if not found.contacts:
            unknown.setdefault(each.title, []).append((each, found.reason))
        remarks.update(found.remarks)
    return Matched(
        tuple(taken[key] for key in sorted(taken)),
        tuple(Unknown(many[0][0], len(many), many[0][1]) for many in unknown.values()),
        tuple(text if count == 1 else f"{text} ({count} times)" for text, count in remarks.items()),
    )


def _no_shift(each: Appointment, book: Book, schedule: str) -> str:
    """Why it is left out; "" when it is not."""
    if book.skips(each.title):
        return f"{each.title!r} is skipped"
    ours = None if book.told(each.title) else titled(each.title)
    return f"a shift of {ours[0]} is left out" if ours and ours[0] != schedule else ""


class _Whose:
    """`contacts` whose appointment it is; when there are none, `reason` says why."""

    def __init__(self, each: Appointment, book: Book) -> None:
        self._each = each
        self._book = book
        self.contacts = self._contacts()

    def _contacts(self) -> tuple[str, ...]:
        if told := self._book.told(self._each.title):
            return (told,)
        invited = self._known(self._each.invited)
        if self._titled and (self._declined or (invited and self._titled not in invited)):
            return ()
        if invited or self._titled:
            return invited or (self._titled,)
        # Who organizes it often only wrote it down, so that counts where nobody else is named at all.
        nobody = not (self._each.invited or self._each.declined)
        return self._known((self._each.organizer,)) if nobody else ()

    def _known(self, mails: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(filter(None, map(self._book.by_mail, mails))))

    @property
    def _declined(self) -> bool:
        return self._titled in self._known(self._each.declined)

    @property
    def _titled(self) -> str:
        """Whom the title names: a contact, or as our own export names one."""
        ours = titled(self._each.title)
        return self._book.by_title(ours[1] if ours else self._each.title)

    @property
    def remarks(self) -> list[str]:
        """Who is invited beside those found, and is nobody we know."""
        if not self.contacts or self._book.told(self._each.title):
            return []
        strangers = [mail for mail in self._each.invited if not self._book.by_mail(mail)]
        named = len(strangers) < len(self._each.invited)
        return [f"{mail} is invited, and is no contact's address" for mail in strangers] if named else []

    @property
    def reason(self) -> str:
        if self._titled:
            return f"its title names {self._titled}, who {'declined' if self._declined else 'is not invited'}"
        return "; ".join(self._named()) or "nobody is invited, and its title is no contact's"

    def _named(self) -> Iterator[str]:
        if self._each.invited:
            yield f"invited: {', '.join(self._each.invited)}"
        if self._each.declined:
            yield f"declined: {', '.join(self._each.declined)}"
        if self._each.organizer:
            yield f"organized by {self._each.organizer}"


def _plain(title: str) -> str:
    return " ".join(title.split()).casefold()


def _only(found: set[str]) -> str:
    return next(iter(found)) if len(found) == 1 else ""
