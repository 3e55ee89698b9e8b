"""`process.yaml`: how an incident of consequence is run."""

from pydantic import Field, model_validator

from routing.policy import Process, Role
from routing.schema.fields import HoursName, Matchers, Name, PositiveDuration, SeverityField, Some, Text
from routing.schema.part import Part, Spot
from routing.schema.refusal import Refusal
from routing.schema.status_page import AudiencePart, StatusPagePart, build_audiences, build_status_page
from routing.schema.target import TargetPart


class RolePart(Part):
    role: Text = Field(description="like incident commander")
    match: Matchers = Field(default=(), description='matchers over the incident, like [team="security"]')
    to: TargetPart = Field(description="who takes it, like {schedule: primary}")


class PhasesPart(Part):
    assessment: PositiveDuration = Field(description="from the opening, or until somebody acknowledges")
    coordination: PositiveDuration = Field(
        description="from the opening; at most half of the time to resolve"
    )
    recovery: PositiveDuration = Field(description="from the resolve: so long it is watched for a regression")


class UpdatesPart(Part):
    every: PositiveDuration = Field(description="how often, like 30m")
    from_: Text = Field(alias="from", description="the role that owes them")


class PostmortemPart(Part):
    within: PositiveDuration = Field(description="how long after the end, like 3d")
    during: HoursName | None = Field(default=None, description="hours of calendar.yaml it is to fall in")


class ProcessFile(Part):
    """How an incident of consequence is run. Optional."""

    severity: Some[SeverityField] = Field(description="of which incidents, like [SEV-0, SEV-1]")
    phases: PhasesPart = Field(description="how long each phase has")
    room: TargetPart | None = Field(
        default=None, description="where all who work on it come together, like {contact: war-room}"
    )
    roles: Some[RolePart] = Field(description="who takes which role: the first that matches, for each role")
    updates: UpdatesPart = Field(description="how often a status is owed, and by whom")
    postmortem: PostmortemPart = Field(description="when the review is due")
    audiences: dict[Name, AudiencePart] = Field(
        default={}, description="name, like management, then who else hears of which incidents"
    )
    status_page: StatusPagePart | None = Field(default=None, description="what customers are told")

    @model_validator(mode="after")
    def _owed_by_a_role(self) -> "ProcessFile":
        known = [part.role for part in self.roles]
        if self.updates.from_ not in known:
            fix = f"write one of {', '.join(dict.fromkeys(known))}, or add the role"
            raise Refusal(f'no role "{self.updates.from_}"', fix, ("updates", "from"))
        if self.status_page is not None and self.status_page.from_ not in known:
            fix = f"write one of {', '.join(dict.fromkeys(known))}, or add the role"
            raise Refusal(f'no role "{self.status_page.from_}"', fix, ("status_page", "from"))
        if self.phases.coordination <= self.phases.assessment:
            fix = "both count from the opening: write a longer time, like assessment: 15m, coordination: 60m"
            raise Refusal("coordination ends before assessment does", fix, ("phases", "coordination"))
        return self


def build_process(part: ProcessFile, spot: Spot) -> Process:
    return Process(
        severities=part.severity,
        assessment_ms=part.phases.assessment,
        coordination_ms=part.phases.coordination,
        recovery_ms=part.phases.recovery,
        roles=tuple(
            Role(each.role, each.match, each.to.pair, spot.at("roles", number).origin)
            for number, each in enumerate(part.roles)
        ),
        update_ms=part.updates.every,
        update_from=part.updates.from_,
        postmortem_ms=part.postmortem.within,
        postmortem_hours=part.postmortem.during or "",
        origin=spot.at("phases").origin,
        audiences=build_audiences(part.audiences, spot.at("audiences")),
        status_page=build_status_page(part.status_page, spot.at("status_page")) if part.status_page else None,
        room=part.room.pair if part.room else None,
    )
