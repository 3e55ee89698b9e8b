"""Schedules in `oncall.yaml`: layers of rotations, and when each is active."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from routing.calendar.hours import FOREVER, Hours
from routing.calendar.wall import instant_of
from routing.oncall.layers import SHORTHAND
from routing.policy import Layer, Mode, Rotation, RoundRobin, Schedule
from routing.schema.calendar import CalendarFile, dates
from routing.schema.feeds import FeedPart
from routing.schema.fields import (
    ContactName,
    Duration,
    HolidaysName,
    HoursName,
    LocalTime,
    Many,
    Name,
    Some,
    Text,
    Zone,
)
from routing.schema.notices import NoticesPart
from routing.schema.part import Part, Spot
from routing.schema.refusal import Refusal, refuse_all
from routing.schema.turns import Every, weeks
from routing.schema.weekly import WeeklySpan
from routing.schema.written import Short

_PEOPLE = ("rotation", "round_robin")


def _several(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


Turn = Annotated[Some[ContactName], BeforeValidator(_several), Short("name of a contact")]


class RotationPart(Part):
    contacts: Some[Turn] = Field(description="who takes turns, in order; [anna, ben] within is both at once")
    start: LocalTime = Field(description="local time of a handoff to the first, like 2026-01-05T09:00")
    every: Every = Field(
        default=weeks(1),
        description="length of a turn, like 1w, 12h or monthly; or a list",
        json_schema_extra={"default": "1w"},
    )
    overlap: Duration = Field(default=0, description="how long the one before stays on call, like 30m")

    def built(self) -> Rotation:
        return Rotation(self.contacts, self.start, self.every.lengths, self.every.unit, self.overlap)


class LayerPart(Part):
    name: Name = Field(description="a name to tell it by, like nights")
    rotation: RotationPart | None = Field(default=None, description="contacts, start and every")
    round_robin: Some[ContactName] | None = Field(default=None, description="the next one at each page")
    timezone: Zone | None = Field(default=None, description="where its clock hangs, if not the schedule's")
    during: HoursName | None = Field(default=None, description="hours of calendar.yaml it is active in")
    weekly: Many[WeeklySpan] = Field(default=(), description='hours of its own, like ["sat,sun 00:00-24:00"]')
    holidays: Many[HolidaysName] = Field(default=(), description="lists of holidays left out of weekly")
    from_: LocalTime | None = Field(
        default=None, alias="from", description="not active before, like 2026-09-01T09:00"
    )
    until: LocalTime | None = Field(default=None, description="not active from then on")
    mode: Literal["replace", "add", "shadow"] = Field(
        default="replace",
        description="replace who is on call below it, add to them, or shadow: told, never paged",
    )

    @model_validator(mode="after")
    def _sound(self) -> "LayerPart":
        refusals = _one_of(self, _PEOPLE)
        if self.during and self.weekly:
            refusals.append(Refusal("during and weekly", "keep one of them", ("weekly",)))
        if self.holidays and not self.weekly:
            refusals.append(
                Refusal("holidays without weekly", "add weekly, or leave them to during", ("holidays",))
            )
        if self.from_ and self.until and self.until <= self.from_:
            refusals.append(Refusal("a layer that ends before it begins", "write a later until", ("until",)))
        refuse_all(refusals)
        return self


class SchedulePart(Part):
    timezone: Zone = Field(description="IANA name, like Europe/Warsaw")
    rotation: RotationPart | None = Field(
        default=None, description="the only layer: contacts, start and every"
    )
    round_robin: Some[ContactName] | None = Field(
        default=None, description="the only layer: the next at each page"
    )
    layers: Some[LayerPart] | None = Field(default=None, description="later ones win where they are active")
    feed: FeedPart | None = Field(default=None, description="url of a calendar whose shifts are followed")
    notices: NoticesPart | None = Field(default=None, description="before and to: who is told of handoffs")
    gaps_accepted: Text | None = Field(
        default=None, description="why nobody is needed at times, like closed at night"
    )

    @field_validator("layers")
    @classmethod
    def _each_named(cls, layers: tuple[LayerPart, ...] | None) -> tuple[LayerPart, ...] | None:
        names = [layer.name for layer in layers or ()]
        refuse_all(
            [
                Refusal(f'a second layer "{name}"', "give it another name", (number, "name"))
                for number, name in enumerate(names)
                if name in names[:number]
            ]
        )
        return layers

    @model_validator(mode="after")
    def _one(self) -> "SchedulePart":
        refusals = _one_of(self, (*_PEOPLE, "layers"))
        if self.notices and (self.round_robin or any(layer.round_robin for layer in self.layers or ())):
            fix = "remove notices, or write a rotation"
            refusals.append(
                Refusal("notices of a round robin, which changes with every page", fix, ("notices",))
            )
        refuse_all(refusals)
        return self


def _one_of(part: Part, fields: tuple[str, ...]) -> list[Refusal]:
    given = [field for field in fields if getattr(part, field) is not None]
    if len(given) > 1:
        return [Refusal(f"both {given[0]} and {given[1]}", "keep one of them", (given[1],))]
    return [] if given else [Refusal("nobody is ever on call", f"add one of {', '.join(fields)}")]


@dataclass(frozen=True, slots=True)
class Calendar:
    """What calendar.yaml defines."""

    hours: Mapping[str, Hours]
    dates: CalendarFile | None


def build_schedule(name: str, part: SchedulePart, spot: Spot, calendar: Calendar) -> Schedule:
    layers = tuple(
        _layer(layer, part.timezone, spot.at("layers", number), calendar)
        for number, layer in enumerate(part.layers or ())
    )
    if not layers:
        layers = (Layer(SHORTHAND, _people(part.rotation, part.round_robin), part.timezone, spot.origin),)
    notices = part.notices.built() if part.notices else None
    feed = part.feed.built() if part.feed else None
    return Schedule(name, part.timezone, layers, spot.origin, part.gaps_accepted or "", notices, feed)


def _layer(part: LayerPart, timezone: str, spot: Spot, calendar: Calendar) -> Layer:
    zone = part.timezone or timezone
    during = calendar.hours[part.during] if part.during else None
    if part.weekly:
        during = Hours(part.name, zone, part.weekly, dates(calendar.dates, part.holidays), spot.origin)
    return Layer(
        name=part.name,
        people=_people(part.rotation, part.round_robin),
        timezone=zone,
        origin=spot.origin,
        during=during,
        from_at=_instant(part.from_, zone) if part.from_ else 0,
        until_at=_instant(part.until, zone) if part.until else FOREVER,
        mode=Mode(part.mode),
    )


def _people(rotation: RotationPart | None, round_robin: tuple[str, ...] | None) -> Rotation | RoundRobin:
    return rotation.built() if rotation else RoundRobin(round_robin or ())


def _instant(text: str, zone: str) -> int:
    return instant_of(datetime.fromisoformat(text), zone)
