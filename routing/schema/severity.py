"""`severity.yaml`: rules that say how bad an event is, and thresholds that make many events one alert."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from routing.calendar.hours import Hours
from routing.policy import Adjustment, Impact, SeverityRule
from routing.schema.absences import AbsencePart
from routing.schema.fields import (
    HoursName,
    Labels,
    Many,
    Matchers,
    Name,
    SeverityField,
    VendorSeverities,
)
from routing.schema.impact import ImpactField, MatrixPart, TierWords, unknown_words
from routing.schema.part import Part, Spot
from routing.schema.promotion import PromotionPart
from routing.schema.refusal import Refusal, refuse_all
from routing.schema.thresholds import ThresholdPart
from routing.schema.when import When
from routing.schema.yaml_marks import Path
from routing.severity import Severity


class RulePart(Part):
    name: Name = Field(description="a name to find it by, like site-down")
    match: Matchers = Field(description='matchers, like [kind="SiteDown"]')
    when: When | None = Field(default=None, description="a JMESPath condition over event and labels")
    severity: SeverityField | None = Field(
        default=None, description="how bad it is, like SEV-1; or scope and affects for the matrix"
    )
    scope: ImpactField | None = Field(default=None, description="how much is out, a row of the matrix")
    affects: ImpactField | None = Field(default=None, description="who is hit, a column of the matrix")
    team: str | None = Field(default=None, description="the team it belongs to")
    service: str | None = Field(default=None, description="the service it is about")
    handling: Literal["alert", "record", "deploy"] | None = Field(
        default=None,
        description="alert opens or joins an incident, record keeps it, deploy remembers a deployment",
    )
    reason: str = Field(default="", description="why, in words people are told")
    labels: Labels = Field(default={}, description="labels the alert gets")

    @model_validator(mode="after")
    def _one_way(self) -> "RulePart":
        if self.severity is not None and (self.scope or self.affects):
            raise Refusal(
                "both a severity and an impact", "write severity, or scope and affects for the matrix"
            )
        return self


class AdjustmentPart(Part):
    name: Name = Field(description="a name to find it by, like at-night")
    match: Matchers = Field(description="""matchers, like [service_tier="1"]""")
    up: int = Field(default=0, ge=1, le=3, alias="raise", description="how many levels worse, like 1")
    down: int = Field(default=0, ge=1, le=3, alias="lower", description="how many levels milder, like 1")
    up_to: SeverityField = Field(default=Severity.SEV1, description="the worst it may raise to")
    inside: HoursName | None = Field(default=None, description="hours of calendar.yaml in which it holds")
    outside: HoursName | None = Field(default=None, description="hours outside of which it holds")
    reason: str = Field(default="", description="why, in words people are told")

    @model_validator(mode="after")
    def _one_way(self) -> "AdjustmentPart":
        if bool(self.up) == bool(self.down):
            found = "both raise and lower" if self.up else "neither raise nor lower"
            raise Refusal(found, "write one of the two, like lower: 1")
        if self.inside and self.outside:
            raise Refusal("both inside and outside", "write one of the two, or a second adjustment")
        return self


class SeverityFile(Part):
    """Rules that say how bad an event is, thresholds over many events, and what is missed when it does not come."""

    default: SeverityField = Field(
        default=Severity.SEV2, description="where no rule and no word of the vendor says"
    )
    vendor_severity: VendorSeverities = Field(
        default={}, description="what vendors' own words for a severity mean, like {critical: SEV-1}"
    )
    matrix: MatrixPart | None = Field(default=None, description="scope of the outage, then who is hit")
    tiers: TierWords = Field(default={}, description="who is hit when a service of tier 1 to 4 is out")
    rules: Many[RulePart] = Field(default=(), description="the first that matches decides")
    adjustments: Many[AdjustmentPart] = Field(
        default=(), description="what moves a severity by levels: all that match count"
    )
    promotions: Many[PromotionPart] = Field(
        default=(), description="what raises an incident that lasts, grows or spreads"
    )
    thresholds: Many[ThresholdPart] = Field(default=(), description="many events that are one alert")
    absences: Many[AbsencePart] = Field(
        default=(), description="events that are expected, and missed when they do not come"
    )

    @model_validator(mode="after")
    def _in_the_matrix(self) -> "SeverityFile":
        sides: dict[Path, Impact] = {
            ("rules", number, side): impact
            for number, rule in enumerate(self.rules)
            for side, impact in (("scope", rule.scope), ("affects", rule.affects))
            if impact is not None
        }
        refuse_all(unknown_words(self.matrix, self.tiers, sides))
        return self


def build_adjustments(file: SeverityFile, spot: Spot, known: Mapping[str, Hours]) -> tuple[Adjustment, ...]:
    return tuple(
        Adjustment(
            name=part.name,
            matchers=part.match,
            levels=part.down - part.up,
            origin=spot.at("adjustments", number).origin,
            hours=known.get(part.inside or part.outside or ""),
            inside=part.outside is None,
            up_to=part.up_to,
            reason=part.reason,
        )
        for number, part in enumerate(file.adjustments)
    )


def build_rules(file: SeverityFile, spot: Spot) -> tuple[SeverityRule, ...]:
    return tuple(_rule(part, spot.at("rules", number)) for number, part in enumerate(file.rules))


def _rule(part: RulePart, spot: Spot) -> SeverityRule:
    return SeverityRule(
        name=part.name,
        matchers=part.match,
        origin=spot.origin,
        when=part.when.text if part.when else "",
        language=part.when.language if part.when else "jmespath",
        severity=part.severity,
        scope=part.scope,
        affects=part.affects,
        team=part.team,
        service=part.service,
        handling=part.handling
        or ("alert" if part.severity is not None or part.scope or part.affects else ""),
        reason=part.reason,
        labels=part.labels,
    )
