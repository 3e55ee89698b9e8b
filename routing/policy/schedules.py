"""Schedules: who is on call when, in layers of rotations."""

from dataclasses import dataclass
from enum import StrEnum

from routing.calendar.hours import FOREVER, Hours
from routing.policy.secret import Secret
from routing.reason import Origin


class Unit(StrEnum):
    """What the length of a turn is counted in, by the wall clock."""

    HOURS = "hours"
    DAYS = "days"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Rotation:
    """`turns` are had one after the other, each by one person or several, endlessly in both directions."""

    turns: tuple[tuple[str, ...], ...]
    start: str
    """Local date and time at which a turn of the first begins, ISO: "2026-01-05T09:00"."""
    every: tuple[int, ...] = (7,)
    """Lengths of turns one after the other, like (5, 2), then from the first again."""
    unit: Unit = Unit.DAYS
    overlap_ms: int = 0
    """For so long after a handoff the one before is still on call, too."""


@dataclass(frozen=True, slots=True)
class RoundRobin:
    """The next of them each time a page goes out."""

    contacts: tuple[str, ...]


class Mode(StrEnum):
    """What a layer does with whom the layers before it name."""

    REPLACE = "replace"
    ADD = "add"
    SHADOW = "shadow"
    """Those of the layer are told what the others are paged for, and never awaited."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Active within its hours and between the two instants (ms); later layers win where they are active."""

    name: str
    people: Rotation | RoundRobin
    timezone: str
    origin: Origin
    during: Hours | None = None
    from_at: int = 0
    until_at: int = FOREVER
    mode: Mode = Mode.REPLACE


@dataclass(frozen=True, slots=True)
class Notices:
    """Whose shift begins or is over is told; so are `targets`, (kind, name), of each handoff."""

    before_ms: tuple[int, ...] = ()
    """How long before a shift begins whoever has it is told of it, too."""
    targets: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """A calendar whose shifts are laid over the schedule, looked at `every_ms`, and read `ahead_ms` far."""

    url: str | Secret
    every_ms: int
    ahead_ms: int
    names: tuple[tuple[str, str], ...] = ()
    """Titles of the calendar, and whose each is."""
    skipped: tuple[str, ...] = ()
    """Titles of what is no shift."""
    is_exclusive: bool = False
    """Nobody is on call between its shifts."""


@dataclass(frozen=True, slots=True)
class Schedule:
    name: str
    timezone: str
    layers: tuple[Layer, ...]
    origin: Origin
    gaps_accepted: str = ""
    """Why nobody on call now and then is meant; "" where it is not."""
    notices: Notices | None = None
    feed: Feed | None = None

    def __hash__(self) -> int:
        """Cheap: schedules are keys of what is remembered about them."""
        return hash((self.name, self.origin))
