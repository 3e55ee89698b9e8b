"""`drills` of `calendar.yaml`: pages that come by the calendar, to see that they reach whoever is on call."""

from collections.abc import Mapping

from pydantic import Field

from routing.calendar.hours import Hours
from routing.policy import Drill
from routing.schema.fields import HoursName, Many, PolicyName, SeverityField, Text
from routing.schema.part import Spot
from routing.schema.scheduled import RecurringPart
from routing.schema.target import TargetPart
from routing.severity import Severity


class DrillPart(RecurringPart):
    title: Text = Field(default="can you be reached?", description="what is said behind DRILL")
    severity: SeverityField = Field(
        default=Severity.SEV1, description="how bad it pretends to be: it goes by the methods for that"
    )
    escalation: PolicyName = Field(description="who is paged, who next; after the last step it is over")
    hours: HoursName | None = Field(default=None, description="hours it is put off to, like working")
    inform: Many[TargetPart] = Field(default=(), description="who hears how it ended")


def build_drills(parts: tuple[DrillPart, ...], spot: Spot, hours: Mapping[str, Hours]) -> tuple[Drill, ...]:
    return tuple(
        Drill(
            name=part.name,
            title=part.title,
            recurs=part.recurrence,
            severity=part.severity,
            escalation=part.escalation,
            origin=spot.at(number).origin,
            hours=hours.get(part.hours or ""),
            inform=tuple(target.pair for target in part.inform),
        )
        for number, part in enumerate(parts)
    )
