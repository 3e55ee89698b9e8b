"""Who hears of what: matchers and the route tree."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from routing.instant import HOUR, MINUTE
from routing.language.index import Index, Matcher
from routing.reason import Origin
from routing.severity import Severity

__all__ = ["Matcher", "Route", "all_routes"]


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
    group_wait_ms: int = 0
    """How long the first page of an incident waits for what belongs to it."""
    group_interval_ms: int = 5 * MINUTE
    """How often those who were paged hear of alerts that joined or ended."""
    repeat_ms: int = 4 * HOUR
    """How often the `inform` targets hear of an incident that stays unresolved."""
    at_once: Severity = Severity.SEV1
    """This severe or worse never waits for the group."""
    below: Index["Route"] = field(init=False, repr=False, compare=False)
    """`routes` by their matchers."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "below", Index((each.matchers, each) for each in self.routes))


def all_routes(route: Route) -> Iterator[Route]:
    """The route and everything below it, in the tree's order."""
    yield route
    for child in route.routes:
        yield from all_routes(child)
