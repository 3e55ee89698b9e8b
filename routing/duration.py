"""Durations as people write them ("5m", "1h30m", "90s") and as the code counts them: milliseconds."""

import re

from routing.schema.refusal import Refusal, shown

_MS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
FORM = re.compile(
    r"(?:(?P<w>\d{1,6})w)?(?:(?P<d>\d{1,6})d)?(?:(?P<h>\d{1,6})h)?"
    r"(?:(?P<m>\d{1,6})m(?!s))?(?:(?P<s>\d{1,6})s)?(?:(?P<ms>\d{1,9})ms)?",
    re.ASCII,
)


def parse(text: str) -> int:
    """Milliseconds of "1h30m"; units w, d, h, m, s, ms, the largest first. Raises Refusal."""
    form = FORM.fullmatch(text.strip())
    if form is None or not form.group().strip():
        raise Refusal(f"{shown(text)} is not a duration", "write it with units, like 90s, 5m, 1h30m or 2d")
    return sum(int(number) * _MS[unit] for unit, number in form.groupdict().items() if number)


def text(ms: int) -> str:
    """The shortest exact way to write a duration: 5400000 gives "1h30m", 0 gives "0s"."""
    parts = []
    for unit, size in _MS.items():
        number, ms = divmod(ms, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def span(ms: int) -> str:
    """A duration for people, in its two largest units: "2 h 5 min", "40 s"."""
    seconds = abs(ms) // 1000
    for unit, size, smaller, step in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            rest = seconds % size // step
            return f"{seconds // size} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"
