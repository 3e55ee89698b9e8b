"""Limits: how often one contact may be told over one method before what comes is told together."""

from typing import Annotated

from pydantic import Field

from routing.instant import HOUR, MINUTE
from routing.policy import Limit
from routing.schema.fields import PositiveDuration
from routing.schema.part import Part

LimitPart = dict[PositiveDuration, Annotated[int, Field(ge=1, le=1000)]]

_QUARTER = 15 * MINUTE


class LimitsPart(Part):
    """By kind of method; the defaults are GoAlert's (its docs, "contact method rate limits")."""

    call: LimitPart = Field(
        default={MINUTE: 1, _QUARTER: 3, HOUR: 7, 3 * HOUR: 15}, description="calls, like {15m: 3, 1h: 7}"
    )
    text: LimitPart = Field(
        default={MINUTE: 1, _QUARTER: 5, HOUR: 11, 3 * HOUR: 21},
        description="messages to a telephone number, like {15m: 5, 1h: 11}",
    )
    message: LimitPart = Field(default={MINUTE: 1}, description="mail, chat and the rest, like {1m: 1}")


def build_limits(part: LimitsPart) -> dict[str, tuple[Limit, ...]]:
    kinds = {"call": part.call, "text": part.text, "message": part.message}
    return {
        kind: tuple(Limit(count, window_ms) for window_ms, count in sorted(limits.items()))
        for kind, limits in kinds.items()
    }
