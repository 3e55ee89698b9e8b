"""How the length of a turn is written: 1w, 12h, monthly, 3 months, or a list of such that is gone through."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainValidator

from routing import duration
from routing.instant import DAY, HOUR
from routing.policy import Unit
from routing.schema.refusal import Refusal, refuse_all, shown
from routing.schema.written import POSITIVE_DURATION, Form, like, several, shown_as

_WORDS = {"hourly": "1h", "daily": "1d", "weekly": "1w", "monthly": "1 month"}
_MONTHS = re.compile(r"(?P<number>[1-9]\d?) months?", re.ASCII)
_FIX = "write hours, days, weeks or months, like 12h, 1d, 2w or monthly"


@dataclass(frozen=True, slots=True)
class Lengths:
    lengths: tuple[int, ...]
    unit: Unit


def weeks(number: int) -> Lengths:
    return Lengths((7 * number,), Unit.DAYS)


def _read(value: Any) -> Lengths:
    """One length, or several in a row; raises Refusal."""
    if isinstance(value, Lengths):
        return value
    given = value if isinstance(value, list) else [value]
    if not given:
        raise Refusal("no length at all", _FIX)
    refuse_all([each for number, text in enumerate(given) for each in _faults(text, number, len(given))])
    texts = [_WORDS.get(str(text), str(text)) for text in given]
    months = [_MONTHS.fullmatch(text) for text in texts]
    if all(months):
        return Lengths(tuple(int(form["number"]) for form in months if form), Unit.MONTHS)
    if any(months):
        raise Refusal("months beside other lengths", "write all of them in months, or none")
    spans = [duration.parse(text) for text in texts]
    if all(span % DAY == 0 for span in spans):
        return Lengths(tuple(span // DAY for span in spans), Unit.DAYS)
    return Lengths(tuple(span // HOUR for span in spans), Unit.HOURS)


def _faults(text: Any, number: int, of: int) -> list[Refusal]:
    at = (number,) if of > 1 else ()
    if not isinstance(text, str):
        return [Refusal(f"{shown(text)} has no unit", _FIX, at)]
    text = _WORDS.get(text, text)
    if _MONTHS.fullmatch(text):
        return []
    try:
        span = duration.parse(text)
    except Refusal as refusal:
        return [Refusal(refusal.found, _FIX, at)]
    if span % HOUR or not span:
        return [Refusal("a turn that is no whole number of hours", _FIX, at)]
    return []


_MONTHLY = like(_MONTHS, "months, counted by the calendar", "1 month")
_LENGTH: Form = {"anyOf": [POSITIVE_DURATION, _MONTHLY, {"enum": [*_WORDS]}]}

Every = Annotated[
    Lengths,
    PlainValidator(_read),
    shown_as(
        {
            "anyOf": [*_LENGTH["anyOf"], several(_LENGTH)],
            "description": "hours, days, weeks or months; or a list of such that is gone through",
            "examples": ["1w", "12h", *_WORDS],
        }
    ),
]
