"""Rows of the result: what was measured, against which bar. A row that misses its bar says so."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`met`: whether the *must* holds; None where the row only informs."""

    what: str
    measured: str
    must: str = ""
    goal: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        mark = {True: "", False: " **missed**", None: ""}[self.met]
        return f"| {self.what} | {self.measured}{mark} | {self.must} | {self.goal} |"


def at_least(what: str, value: float, unit: str, must: float, goal: float, more: str = "") -> Row:
    """A row where more is better."""
    return Row(what, _say(value, unit, more), _say(must, unit), _say(goal, unit), value >= must)


def at_most(what: str, value: float, unit: str, must: float, goal: float, more: str = "") -> Row:
    """A row where less is better."""
    return Row(what, _say(value, unit, more), _say(must, unit), _say(goal, unit), value <= must)


def _say(value: float, unit: str, more: str = "") -> str:
    number = f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{number}{unit}{f' ({more})' if more else ''}"


def table(rows: Sequence[Row]) -> list[str]:
    return ["| what | measured | must | goal |", "|---|---|---|---|", *map(str, rows)]


def middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
