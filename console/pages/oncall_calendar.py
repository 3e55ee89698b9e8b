"""The calendar of who is on call: each schedule's shifts, or each person's, as bars over some days in one zone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from routing.calendar.wall import instant_of, local
from routing.oncall import OnCall

TONES = 6
"""So many colours people are told apart by, beside their names."""


@dataclass(frozen=True, slots=True)
class Span:
    """The days shown, in whose zone; instants in ms."""

    first: date
    days: int
    zone: str

    @property
    def from_at(self) -> int:
        return instant_of(datetime.combine(self.first, time()), self.zone)

    @property
    def until_at(self) -> int:
        return instant_of(datetime.combine(self.first + timedelta(days=self.days), time()), self.zone)

    def share(self, at: int) -> float:
        """How far into it an instant is, in percent."""
        return round(100 * (at - self.from_at) / (self.until_at - self.from_at), 3)

    def text(self, at: int) -> str:
        """As a clock in the zone shows it: "Sat 28 Nov 18:00"."""
        return f"{local(at, self.zone):%a %d %b %H:%M}"


@dataclass(frozen=True, slots=True)
class Bar:
    """`x` and `width` in percent. `tone` is one of TONES, or "gap" where nobody is on call."""

    x: float
    width: float
    label: str
    tone: str
    unreached: bool
    begins: str
    ends: str


@dataclass(frozen=True, slots=True)
class Row:
    """`kind` is "schedule" or "person"."""

    kind: str
    name: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Shown:
    """Whose colour is which, and who is not proven to be reached at all."""

    span: Span
    tones: Mapping[str, int]
    unreached: frozenset[str]

    def by_schedule(self, found: Mapping[str, Sequence[OnCall]]) -> list[Row]:
        return [
            Row("schedule", name, [self._bar(shift, ", ".join(shift.contacts), shift.contacts) for shift in shifts])
            for name, shifts in found.items()
        ]  # fmt: skip

    def by_person(self, found: Mapping[str, Sequence[OnCall]], people: Iterable[str]) -> list[Row]:
        rows = {name: list[Bar]() for name in people}
        for schedule, shifts in found.items():
            for shift in shifts:
                for name in set(shift.contacts) & rows.keys():
                    rows[name].append(self._bar(shift, schedule, (name,)))
        return [
            Row("person", name, sorted(bars, key=lambda each: each.x)) for name, bars in rows.items() if bars
        ]

    def _bar(self, shift: OnCall, label: str, who: Sequence[str]) -> Bar:
        x = self.span.share(shift.since_at)
        tone = f"t{self.tones[who[0]]}" if who else "gap"
        unreached = bool(who) and set(who) <= self.unreached
        return Bar(
            x, round(self.span.share(shift.until_at) - x, 3), label or "nobody", tone, unreached,
            self.span.text(shift.since_at), self.span.text(shift.until_at),
        )  # fmt: skip


def tones(found: Mapping[str, Sequence[OnCall]]) -> dict[str, int]:
    """A colour for everybody who has a shift; the same as long as the same people have any."""
    people = sorted({name for shifts in found.values() for shift in shifts for name in shift.contacts})
    return {name: number % TONES for number, name in enumerate(people)}


def days(span: Span, now: int) -> list[dict[str, object]]:
    """The days' names, where each begins in percent, and which is today."""
    today = local(now, span.zone).date()
    found = [span.first + timedelta(days=number) for number in range(span.days)]
    return [
        {
            "x": span.share(instant_of(datetime.combine(day, time()), span.zone)),
            "name": f"{day:%a}",
            "number": f"{day.day}",
            "today": day == today,
            "full": f"{day:%a %d %b}",
        }
        for day in found
    ]
