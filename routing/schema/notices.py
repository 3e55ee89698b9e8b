"""`notices` of a schedule: who is told of its handoffs, and how long before."""

from typing import Annotated

from pydantic import AfterValidator, Field

from routing.instant import DAY
from routing.policy import Notices
from routing.schema.fields import Many, PositiveDuration
from routing.schema.part import Part
from routing.schema.refusal import Refusal
from routing.schema.target import TargetPart

LONGEST_DAYS = 30


def _near(ms: int) -> int:
    if ms > LONGEST_DAYS * DAY:
        raise Refusal(f"more than {LONGEST_DAYS} days before a shift", f"write {LONGEST_DAYS}d or less")
    return ms


class NoticesPart(Part):
    before: Many[Annotated[PositiveDuration, AfterValidator(_near)]] = Field(
        default=(), description="how long before a shift begins whoever has it is told, like [24h, 15m]"
    )
    to: Many[TargetPart] = Field(default=(), description="who else hears of each handoff, like a room's mail")

    def built(self) -> Notices:
        return Notices(self.before, tuple(target.pair for target in self.to))
