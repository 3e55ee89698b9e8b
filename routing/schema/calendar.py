"""`calendar.yaml`: hours of the week that other files name, without holidays; sprints; scheduled work. Optional."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator, model_validator

from routing.calendar.hours import Hours
from routing.calendar.sprints import Sprints
from routing.instant import DAY
from routing.schema.drills import DrillPart
from routing.schema.fields import Many, Name, PositiveDuration, Some, Zone, whole_days
from routing.schema.part import Part, Spot
from routing.schema.refusal import Refusal, refuse_all, shown, suggestion
from routing.schema.scheduled import RecurringPart, ScheduledPart
from routing.schema.weekly import WeeklySpan
from routing.schema.written import DATE, like, shown_as


def _date(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Refusal(f"{shown(text)} is no date", "write year, month and day, like 2026-12-25") from error
    if day.isoformat() != text:
        raise Refusal(f"{shown(text)} is no date as we write it", f"write {day.isoformat()}")
    return text


Date = Annotated[str, AfterValidator(_date), shown_as(like(DATE, "a day, like 2026-12-25", "2026-12-25"))]


class HoursPart(Part):
    timezone: Zone = Field(description="IANA name, like Europe/Warsaw")
    weekly: Many[WeeklySpan] = Field(
        default=(), description='spans of the week, like ["mon-fri 09:00-17:00"]'
    )
    holidays: Many[Name] = Field(default=(), description="lists of holidays left out, like [poland]")
    on: Many[Name] = Field(default=(), description="lists of holidays that are inside all day, like [poland]")

    @model_validator(mode="after")
    def _ever(self) -> "HoursPart":
        if not self.weekly and not self.on:
            raise Refusal("hours that never are", 'add weekly: ["mon-fri 09:00-17:00"], or on: [<holidays>]')
        return self


class SprintsPart(Part):
    start: Date = Field(description="first day of any sprint, like 2026-01-05")
    every: Annotated[PositiveDuration, AfterValidator(whole_days)] = Field(
        default=14 * DAY, description="length of a sprint, like 2w"
    )
    timezone: Zone = Field(description="IANA name, like Europe/Warsaw")


class CalendarFile(Part):
    """Hours of the week that other files name, without holidays; sprints; scheduled work. Optional."""

    holidays: dict[Name, Some[Date]] = Field(default={}, description="name, then a list of dates")
    hours: dict[Name, HoursPart] = Field(default={}, description="name, then timezone, weekly and holidays")
    sprints: SprintsPart | None = Field(default=None, description="start, every and timezone")
    scheduled: Many[ScheduledPart] = Field(
        default=(), description="events that come by the calendar: name, every, day, at, timezone, event"
    )

    drills: Many[DrillPart] = Field(
        default=(),
        description="fire drills: name, every, day, at, timezone, hours, severity, escalation, inform",
    )

    @field_validator("scheduled", "drills")
    @classmethod
    def _each_named(cls, scheduled: tuple[RecurringPart, ...]) -> tuple[RecurringPart, ...]:
        names = [each.name for each in scheduled]
        refuse_all([
            Refusal(f'a second "{name}"', "give it another name", (number, "name"))
            for number, name in enumerate(names) if name in names[:number]
        ])  # fmt: skip
        return scheduled

    @field_validator("holidays")
    @classmethod
    def _each_once(cls, holidays: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        refuse_all(
            [
                Refusal(f"{day} a second time", "remove it", (name, number))
                for name, days in holidays.items()
                for number, day in enumerate(days)
                if day in days[:number]
            ]
        )
        return holidays

    @model_validator(mode="after")
    def _holidays_known(self) -> "CalendarFile":
        refuse_all(
            [
                Refusal(
                    f'no holidays "{name}"', suggestion(name, self.holidays), ("hours", key, field, number)
                )
                for key, part in self.hours.items()
                for field, names in (("holidays", part.holidays), ("on", part.on))
                for number, name in enumerate(names)
                if name not in self.holidays
            ]
        )
        return self


def build_hours(file: CalendarFile, spot: Spot) -> dict[str, Hours]:
    return {
        name: Hours(
            name=name,
            timezone=part.timezone,
            spans=part.weekly,
            holidays=dates(file, part.holidays),
            origin=spot.at("hours", name).origin,
            dates=dates(file, part.on),
        )
        for name, part in file.hours.items()
    }


def dates(file: CalendarFile | None, names: tuple[str, ...]) -> frozenset[str]:
    """All days of some of its lists of holidays."""
    return frozenset(day for name in names for day in file.holidays[name]) if file else frozenset()


def build_sprints(file: CalendarFile, spot: Spot) -> Sprints | None:
    part = file.sprints
    if part is None:
        return None
    return Sprints(part.start, part.every // DAY, part.timezone, spot.at("sprints").origin)
