"""`oncall.yaml`: contacts and how to reach them, schedules and who has them when."""

from collections.abc import Mapping

from pydantic import Field

from routing.calendar.hours import Hours
from routing.policy import Schedule
from routing.schema.calendar import CalendarFile
from routing.schema.contacts import ContactPart
from routing.schema.fields import Name
from routing.schema.limits import LimitsPart
from routing.schema.part import Part, Spot
from routing.schema.schedules import Calendar, SchedulePart, build_schedule
from routing.schema.teams import TeamPart


class OnCallFile(Part):
    """Contacts and how to reach them, schedules and who has them when, teams, limits."""

    contacts: dict[Name, ContactPart] = Field(description="name, then title, methods and page")
    schedules: dict[Name, SchedulePart] = Field(
        default={}, description="name, then timezone and rotation, round_robin or layers"
    )
    teams: dict[Name, TeamPart] = Field(default={}, description="name, then contacts")
    limits: LimitsPart = Field(default=LimitsPart(), description="call, text and message")


def build_schedules(
    file: OnCallFile, spot: Spot, hours: Mapping[str, Hours], dates: CalendarFile | None
) -> dict[str, Schedule]:
    calendar = Calendar(hours, dates)
    return {
        name: build_schedule(name, part, spot.at("schedules", name), calendar)
        for name, part in file.schedules.items()
    }
