"""Promises of a severity as they are written: a duration or a sprint's end, and a percentage of it."""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainValidator

from routing.schema.fields import positive_duration
from routing.schema.refusal import Refusal, shown
from routing.schema.written import POSITIVE_DURATION, Form, like, shown_as

SPRINTS = {"this sprint": 1, "next sprint": 2}
"""How many sprints have ended by then."""

_PERCENT = re.compile(r"(?P<number>[1-9][0-9])%")


@dataclass(frozen=True, slots=True)
class ResolvePart:
    """`ms` is None where sprints are counted."""

    ms: int | None
    sprints: int = 0


def _resolve(value: Any) -> ResolvePart:
    if isinstance(value, str) and value in SPRINTS:
        return ResolvePart(None, SPRINTS[value])
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise Refusal(f"{shown(value)} is no time", "write it like 4h, or next sprint")
    return ResolvePart(positive_duration(value))


def _percent(value: Any) -> int:
    form = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if form is None:
        raise Refusal(f"{shown(value)} is no part of a time", "write 10% to 99%, like 80%")
    return int(form["number"])


_RESOLVE: Form = {
    "anyOf": [POSITIVE_DURATION, {"enum": [*SPRINTS]}],
    "description": "a duration with its unit, or the end of a sprint",
    "examples": ["4h", *SPRINTS],
}

Resolve = Annotated[ResolvePart, PlainValidator(_resolve), shown_as(_RESOLVE)]
Percent = Annotated[int, PlainValidator(_percent), shown_as(like(_PERCENT, "10% to 99%", "80%"))]
