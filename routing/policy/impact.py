"""The impact matrix: how bad it is follows from how much is out and who is hit."""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.reason import Origin
from routing.severity import Severity


@dataclass(frozen=True, slots=True)
class Matrix:
    """`cells`: the scope of the outage, then who is hit. Every scope has every one of them."""

    cells: Mapping[str, Mapping[str, Severity]]
    origin: Origin

    @property
    def affects(self) -> tuple[str, ...]:
        return tuple(next(iter(self.cells.values())))

    def severity(self, scope: str, affects: str) -> Severity:
        """Of one cell; what is not known ("") may be the worst there is."""
        rows = [self.cells[scope]] if scope in self.cells else list(self.cells.values())
        return min(row[affects] if affects in row else min(row.values()) for row in rows)


@dataclass(frozen=True, slots=True)
class Impact:
    """One side of the matrix as a rule gives it: a `word` of it, or a `value` of the event that is one.

    With `bands` the value is a number, and the first band it reaches gives the word; the largest goes first.
    """

    word: str = ""
    value: str = ""
    """A JMESPath expression over {"event": ..., "labels": ...}."""
    bands: tuple[tuple[float, str], ...] = ()

    def read(self, found: object) -> str:
        """The word that a value of the event stands for; "" when it stands for none."""
        if not self.bands:
            return found if isinstance(found, str) else ""
        number = _number(found)
        return "" if number is None else next((word for least, word in self.bands if number >= least), "")


def _number(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        number = float(found)
    except ValueError:
        return None
    return number if number == number else None  # noqa: PLR0124  # what is not itself is not a number
