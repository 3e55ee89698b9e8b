"""Who hears of what: matchers and the route tree."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from routing.reason import Origin


class Matcher(Protocol):
    """A compiled label matcher (`routing.language.matchers`)."""

    @property
    def matches(self) -> Callable[[Mapping[str, str]], bool]: ...


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the route tree. What is None or () was inherited when compiled, so leaves are complete."""

    name: str
    matchers: tuple[Matcher, ...]
    escalation: str
    group_by: tuple[str, ...]
    reopen_ms: int
    origin: Origin
    inform: tuple[tuple[str, str], ...] = ()
    """Targets told quietly when automation repaired what nobody was paged for: (kind, name)."""
    routes: tuple["Route", ...] = ()
    continues: bool = False
