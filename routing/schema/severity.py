"""`severity.yaml`: rules that say how bad an event is, and thresholds that make many events one alert."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from routing.language.expressions import roots
from routing.policy import VENDOR_SEVERITIES, SeverityRule, Threshold
from routing.schema.fields import (
    Condition,
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
from routing.schema.refusal import Refusal, refuse_all
from routing.severity import Severity

MOST_COUNTED = 1000
"""A threshold's window keeps so many instants; it is written with every event that counts."""


RULE_CONTEXT = frozenset({"event", "labels"})
"""What a rule's condition may ask about."""


class RulePart(Part):
    name: Name = Field(description="a name to find it by, like site-down")
    match: Matchers = Field(description='matchers, like [kind="SiteDown"]')
    when: Condition | None = Field(default=None, description="a JMESPath condition over event and labels")
    severity: SeverityField | None = None
    team: str | None = None
    service: str | None = None
    handling: Literal["alert", "record", "deploy"] | None = None
    reason: str = ""
    labels: Labels = {}

    @field_validator("when")
    @classmethod
    def _reads(cls, when: str | None) -> str | None:
        unknown = sorted(roots(when) - RULE_CONTEXT) if when else []
        refuse_all([Refusal(f'no "{name}" to ask about', "write event.… or labels.…") for name in unknown])
        return when


class ThresholdPart(Part):
    name: Name = Field(description="a name to find it by, like payment-failures")
    match: Matchers = Field(description='matchers, like [kind="payment_intent.payment_failed"]')
    count: int = Field(ge=2, le=MOST_COUNTED, description="how many events, like 20")
    within: PositiveDuration = Field(description="in which time, like 5m")
    quiet: PositiveDuration | None = Field(default=None, description="resolved after this long without one")
    severity: SeverityField = Field(description="how bad it is then, like SEV-1")
    title: Text = Field(description="what people are told, in a few words")
    by: Many[LabelName] = Field(default=(), description="labels each value of which counts on its own")
    team: str = ""
    service: str = ""
    labels: Labels = {}


class SeverityFile(Part):
    default: SeverityField = Severity.SEV2
    vendor_severity: dict[Annotated[str, StringConstraints(to_lower=True)], SeverityField] = {}
    rules: Many[RulePart] = ()
    thresholds: Many[ThresholdPart] = ()


def vendor_severities(file: SeverityFile) -> dict[str, Severity]:
    return {**VENDOR_SEVERITIES, **file.vendor_severity}


def build_rules(file: SeverityFile, spot: Spot) -> tuple[SeverityRule, ...]:
    return tuple(_rule(part, spot.at("rules", number)) for number, part in enumerate(file.rules))


def build_thresholds(file: SeverityFile, spot: Spot) -> tuple[Threshold, ...]:
    return tuple(
        _threshold(part, spot.at("thresholds", number)) for number, part in enumerate(file.thresholds)
    )


def _rule(part: RulePart, spot: Spot) -> SeverityRule:
    return SeverityRule(
        name=part.name,
        matchers=part.match,
        origin=spot.origin,
        when=part.when or "",
        severity=part.severity,
        team=part.team,
        service=part.service,
        handling=part.handling or ("alert" if part.severity is not None else ""),
        reason=part.reason,
        labels=part.labels,
    )


def _threshold(part: ThresholdPart, spot: Spot) -> Threshold:
    return Threshold(
        name=part.name,
        matchers=part.match,
        count=part.count,
        window_ms=part.within,
        quiet_ms=part.quiet or part.within,
        severity=part.severity,
        title=part.title,
        origin=spot.origin,
        by=part.by,
        team=part.team,
        service=part.service,
        labels=part.labels,
    )
