"""What is not worth a page of its own: relations between alerts, maintenance windows, flapping."""

from dataclasses import dataclass, field
from enum import StrEnum

from routing.calendar.hours import Hours
from routing.instant import MINUTE
from routing.language.index import Index, Matcher
from routing.reason import Origin


class Tie(StrEnum):
    """What the source alert of a relation means for the target alert."""

    INHIBITS = "inhibition"
    """While the source fires, nobody is paged for the target."""
    CAUSES = "correlation"
    """Both are one incident."""


@dataclass(frozen=True, slots=True)
class Relation:
    """Between two alerts whose `equal` labels have the same values; one that is absent equals an empty one."""

    tie: Tie
    name: str
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]
    origin: Origin
    within_ms: int = 0
    """Of a cause and its effect: they begin no further apart than this."""

    @property
    def key(self) -> str:
        return f"{self.tie}/{self.name}"


@dataclass(frozen=True, slots=True)
class Maintenance:
    """In these hours nobody is paged for what matches."""

    name: str
    matchers: tuple[Matcher, ...]
    hours: Hours
    reason: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Flapping:
    """An alert that begins or ceases to fire `changes` times within the window flaps, until it was steady."""

    changes: int = 6
    within_ms: int = 30 * MINUTE
    steady_ms: int = 15 * MINUTE


@dataclass(frozen=True, slots=True)
class Noise:
    """`dependency_ms`: an alert of a service and one of what it depends on are one incident when they begin
    no further apart than this; 0: never. `flapping` None: not looked for.
    """

    relations: tuple[Relation, ...] = ()
    flapping: Flapping | None = field(default_factory=Flapping)
    dependency_ms: int = 30 * MINUTE
    dependent: tuple[Matcher, ...] = ()
    """What both alerts match, or they are related by rule alone: a failed build says nothing of its service."""
    maintenance: tuple[Maintenance, ...] = ()
    by_source: Index[Relation] = field(init=False, repr=False, compare=False)
    by_target: Index[Relation] = field(init=False, repr=False, compare=False)
    by_maintenance: Index[Maintenance] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_source", Index((each.source, each) for each in self.relations))
        object.__setattr__(self, "by_target", Index((each.target, each) for each in self.relations))
        object.__setattr__(self, "by_maintenance", Index((each.matchers, each) for each in self.maintenance))
