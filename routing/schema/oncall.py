"""`oncall.yaml`: contacts and how to reach them, schedules and who has them when."""

from typing import Annotated

from pydantic import AfterValidator, Field

from routing.instant import DAY
from routing.policy import Rotation, Schedule
from routing.schema.contacts import ContactPart
from routing.schema.fields import ContactName, LocalTime, Name, PositiveDuration, Some, Zone, whole_days
from routing.schema.part import Part, Spot


class RotationPart(Part):
    contacts: Some[ContactName] = Field(description="who takes turns, in order")
    start: LocalTime = Field(description="local time of a handoff to the first, like 2026-01-05T09:00")
    every: Annotated[PositiveDuration, AfterValidator(whole_days)] = Field(
        default=7 * DAY, description="length of a turn, like 1w"
    )


class SchedulePart(Part):
    timezone: Zone = Field(description="IANA name, like Europe/Warsaw")
    rotation: RotationPart = Field(description="contacts, start and every")


class OnCallFile(Part):
    contacts: dict[Name, ContactPart] = Field(description="name, then title, methods and page")
    schedules: dict[Name, SchedulePart] = {}


def build_schedules(file: OnCallFile, spot: Spot) -> dict[str, Schedule]:
    return {
        name: Schedule(
            name=name,
            timezone=part.timezone,
            rotation=Rotation(
                contacts=part.rotation.contacts,
                start=part.rotation.start,
                every_days=part.rotation.every // DAY,
            ),
            origin=spot.at("schedules", name).origin,
        )
        for name, part in file.schedules.items()
    }
