"""`scheduled` of `calendar.yaml`: events that come by the calendar, like a review once a month."""

from typing import Literal

from pydantic import Field, model_validator

from routing.calendar.recurring import Every, Recurrence
from routing.policy import Scheduled
from routing.schema.digest import TimeOfDay
from routing.schema.fields import Name, Zone
from routing.schema.own_event import OwnEventPart
from routing.schema.part import Part, Spot
from routing.schema.refusal import Refusal
from routing.schema.weekly import DAYS

_LONGEST_MONTH = 31


class RecurringPart(Part):
    """When something comes by the calendar."""

    name: Name = Field(description="a name to find it by, like runbook-review")
    every: Literal["day", "week", "month", "quarter"] = Field(description="day, week, month or quarter")
    day: int | Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] | None = Field(
        default=None, description="of the week, like mon; of the month, or the quarter's first, like 1"
    )
    at: TimeOfDay = Field(description='when, like "09:00"')
    timezone: Zone = Field(description="by whose clock, like Europe/Warsaw")

    @model_validator(mode="after")
    def _on_a_day(self) -> "RecurringPart":
        if self.every == "day" and self.day is not None:
            raise Refusal("a day of what comes every day", "remove it, or write every: week", ("day",))
        if self.every == "week" and self.day not in DAYS:
            raise Refusal("every week, and no day of it", "write day: mon, or another day", ("day",))
        if self.every in {"month", "quarter"} and not (
            isinstance(self.day, int) and 1 <= self.day <= _LONGEST_MONTH
        ):
            fix = "write day: 1, up to 31, which is the last day of a shorter month"
            raise Refusal(f"every {self.every}, and no day of the month", fix, ("day",))
        return self

    @property
    def recurrence(self) -> Recurrence:
        day = DAYS.index(self.day) if isinstance(self.day, str) else self.day or 0
        return Recurrence(Every(self.every), day, self.at, self.timezone)


class ScheduledPart(RecurringPart):
    event: OwnEventPart = Field(description="kind and title of the event it gives")


def build_scheduled(parts: tuple[ScheduledPart, ...], spot: Spot) -> tuple[Scheduled, ...]:
    return tuple(_scheduled(part, spot.at(number)) for number, part in enumerate(parts))


def _scheduled(part: ScheduledPart, spot: Spot) -> Scheduled:
    return Scheduled(
        name=part.name,
        recurs=part.recurrence,
        kind=part.event.kind,
        title=part.event.title,
        origin=spot.origin,
        severity=part.event.severity,
        labels=part.event.all_labels,
    )
