"""Conditions on an incident, as steps, branches and roles have them, and hours by name."""

from pydantic import Field, model_validator

from routing.escalation import When
from routing.policy import AtHours
from routing.schema.fields import HoursName, Many, Matchers, SeverityField, Text
from routing.schema.part import Part
from routing.schema.refusal import Refusal


class ConditionPart(Part):
    severity: Many[SeverityField] = Field(default=(), description="one of these, like [SEV-0, SEV-1]")
    service: Many[Text] = Field(default=(), description="one of these services")
    team: Many[Text] = Field(default=(), description="an incident of one of these teams")
    during: HoursName | None = Field(default=None, description="hours of calendar.yaml")
    outside: HoursName | None = Field(default=None, description="hours of calendar.yaml")
    match: Matchers = Field(
        default=(), description='matchers of the incident\'s labels, like [kind="SiteDown"]'
    )

    @model_validator(mode="after")
    def _asks(self) -> "ConditionPart":
        if not (self.severity or self.service or self.team or self.during or self.outside or self.match):
            raise Refusal(
                "a condition that asks for nothing", "write severity, service, team, during, outside or match"
            )
        return self

    def build(self) -> When:
        return When(
            severities=[int(each) for each in self.severity],
            services=list(self.service),
            teams=list(self.team),
            during=self.during or "",
            outside=self.outside or "",
            match=[str(each) for each in self.match],
        )


class AtHoursPart(Part):
    """`during` hours of the calendar, or `outside` of them."""

    during: HoursName | None = Field(default=None, description="hours of calendar.yaml")
    outside: HoursName | None = Field(default=None, description="hours of calendar.yaml")

    @model_validator(mode="after")
    def _one(self) -> "AtHoursPart":
        if (self.during is None) == (self.outside is None):
            found = "both during and outside" if self.during else "neither during nor outside"
            raise Refusal(found, "write one of the two, like outside: working")
        return self

    @property
    def at(self) -> AtHours:
        return AtHours(self.during or self.outside or "", outside=self.outside is not None)
