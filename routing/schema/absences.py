"""`absences` of `severity.yaml`: events that are expected, and missed when they do not come."""

from collections.abc import Mapping

from pydantic import Field, model_validator

from routing.calendar.hours import Hours
from routing.policy import Absence
from routing.policy.windows import MOST_COMBINATIONS
from routing.schema.fields import (
    HoursName,
    LabelName,
    Labels,
    Many,
    Matchers,
    Name,
    PositiveDuration,
    SeverityField,
    Text,
)
from routing.schema.part import Part, Spot
from routing.schema.refusal import Refusal


class AbsencePart(Part):
    name: Name = Field(description="a name to find it by, like nightly-backup")
    match: Matchers = Field(description='what is expected, like [kind="backup.done"]')
    within: PositiveDuration = Field(description="how long it may take, like 25h")
    after: Matchers = Field(
        default=(), description='expected after each of these, like [kind="booking.made"]'
    )
    inside: HoursName | None = Field(
        default=None, description="time runs only in these hours of calendar.yaml"
    )
    severity: SeverityField = Field(description="how bad it is then, like SEV-2")
    title: Text = Field(description="what people are told, in a few words")
    by: Many[LabelName] = Field(default=(), description="labels each value of which is expected on its own")
    most: int = Field(default=MOST_COMBINATIONS, ge=1, le=10_000, description="how many combinations of by")
    team: str = Field(default="", description="the team it belongs to")
    service: str = Field(default="", description="the service it is about")
    labels: Labels = Field(default={}, description="labels the alert gets")

    @model_validator(mode="after")
    def _another(self) -> "AbsencePart":
        if self.after == self.match:
            fix = "match what is expected, and in after what it is to follow; or leave after out"
            raise Refusal("it is expected after itself", fix, ("after",))
        return self


def build_absences(
    parts: tuple[AbsencePart, ...], spot: Spot, known: Mapping[str, Hours]
) -> tuple[Absence, ...]:
    return tuple(
        Absence(
            name=part.name,
            matchers=part.match,
            within_ms=part.within,
            severity=part.severity,
            title=part.title,
            origin=spot.at("absences", number).origin,
            by=part.by,
            team=part.team,
            service=part.service,
            labels=part.labels,
            after=part.after,
            hours=known.get(part.inside or ""),
            most=part.most,
        )
        for number, part in enumerate(parts)
    )
