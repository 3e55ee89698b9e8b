"""The board: how each component does now, what is said, and what was said lately."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from routing.policy import StatusPage
from routing.public import Health, Public

_INDICATORS = {
    Health.OPERATIONAL: ("none", "All systems operational"),
    Health.DEGRADED: ("minor", "Some systems are degraded"),
    Health.PARTIAL: ("major", "Some systems do not work"),
    Health.MAJOR: ("critical", "Major outage"),
}


@dataclass(frozen=True, slots=True)
class Board:
    """`components`: in the order of the configuration. Newest first."""

    page: StatusPage
    components: tuple[tuple[str, Health], ...]
    open: tuple[Public, ...]
    over: tuple[Public, ...]
    now: int

    @property
    def worst(self) -> Health:
        return max(
            (health for _, health in self.components), key=lambda each: each.rank, default=Health.OPERATIONAL
        )

    @property
    def indicator(self) -> str:
        """As others' pages have it: none, minor, major or critical."""
        return _INDICATORS[self.worst][0]

    @property
    def sentence(self) -> str:
        """All in one, also while nothing is broken any more and something is still being watched."""
        if self.open and self.worst is Health.OPERATIONAL:
            return "Mended, and being watched"
        return _INDICATORS[self.worst][1]


def board(page: StatusPage, said: Mapping[str, Public], now: int) -> Board:
    """Of what was said about each incident. What is over and older than the page's history is left out."""
    every = sorted(said.values(), key=lambda each: (each.began_at, each.id), reverse=True)
    current = tuple(each for each in every if each.is_open)
    past = tuple(each for each in every if not each.is_open and each.ended_at > now - page.history_ms)
    health = tuple((name, _health(service, current)) for service, name in page.components.items())
    return Board(page, health, current, past, now)


def _health(service: str, current: Iterable[Public]) -> Health:
    """The worst that is said of it."""
    found = [each.health for each in current if service in each.names]
    return max(found, key=lambda each: each.rank, default=Health.OPERATIONAL)
