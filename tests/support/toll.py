"""The toll of a town's deaths: a row for each point, kept with the test's report and printed at the end of the run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import pytest

NAME = "toll"
LAST = "(none came after)"


@dataclass(frozen=True, slots=True)
class Death:
    at: int
    """ns since the epoch."""
    who: str
    """A fault point, or the process that was killed."""


@dataclass
class Row:
    """`marked`: messages offered again and marked so; `repeats`: those of them that reached a vendor twice."""

    point: str
    rounds: int
    kills: int = 0
    accepted: int = 0
    lost: int = 0
    twice: int = 0
    marked: int = 0
    repeats: int = 0


@dataclass
class Toll:
    rows: dict[str, Row]
    faults: list[str] = field(default_factory=list)
    """What may not be, each in a sentence."""

    @classmethod
    def of(cls, deaths: Sequence[Death], rounds: Mapping[str, int]) -> "Toll":
        rows = {who: Row(who, often) for who, often in rounds.items()}
        for death in deaths:
            rows[death.who].kills += 1
        return cls({**rows, LAST: Row(LAST, 0)})

    def keep(self, record: Any) -> None:
        """With pytest's `record_property`."""
        record(NAME, [asdict(row) for row in self.rows.values()])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table, when kill tests ran."""
    titles = [each.name for each in fields(Row)]
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for rows in (value for name, value in getattr(report, "user_properties", ()) if name == NAME):
            terminalreporter.section(report.nodeid.rpartition("::")[2])
            width = max(len(row["point"]) for row in rows)
            terminalreporter.line(_line(titles, width))
            for row in (*rows, _total(rows)):
                terminalreporter.line(_line([row[title] for title in titles], width))


def _total(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {name: sum(row[name] for row in rows) for name in rows[0] if name != "point"}
    return {"point": "all", **total, "rounds": ""}


def _line(cells: Sequence[object], width: int) -> str:
    first, *others = cells
    return f"{first!s:<{width}}" + "".join(f"{cell!s:>10}" for cell in others)
