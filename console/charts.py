"""Charts as facts for templates: bars in percent, so that they need no scripts and no fixed width."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """`label` says what it is of, `text` how much in words; "" is the number itself."""

    label: str
    value: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """In percent of the chart; `y` from the top."""

    x: float
    y: float
    width: float
    height: float
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    bars: Sequence[Bar]
    most: float
    total: float


def columns(found: Sequence[Column]) -> Chart:
    """Standing bars, the highest as high as the chart; all are flat where there is nothing."""
    most = max((each.value for each in found), default=0)
    wide = 100 / len(found) if found else 0
    bars = [
        Bar(
            round(index * wide, 3), round(100 - _part(each.value, most), 3), round(wide, 3),
            round(_part(each.value, most), 3), each.label, each.text or f"{each.value:g}",
        )
        for index, each in enumerate(found)
    ]  # fmt: skip
    return Chart(bars, most, sum(each.value for each in found))


def _part(value: float, most: float) -> float:
    return 100 * value / most if most else 0
