"""`thresholds` of `severity.yaml`: what many events raise together."""

from pydantic import Field, model_validator

from routing.policy import Rate, Ratio, Threshold
from routing.policy.windows import MOST_COMBINATIONS
from routing.schema.fields import (
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

MOST_COUNTED = 1000
"""A threshold's window keeps so many instants; it is written with every event that counts."""

MOST_WINDOWS = 50
"""A rate is compared with so many windows before; ten numbers are kept of each."""


class RatePart(Part):
    times: float = Field(gt=1, description="how many times as many as usual, like 3")
    windows: int = Field(
        default=6, ge=1, le=MOST_WINDOWS, description="the average of how many before, like 6"
    )


class RatioPart(Part):
    percent: float = Field(gt=0, le=100, description="how much of both, like 20")
    match: Matchers = Field(description='the other kind, like [kind="payment_intent.succeeded"]')


class ThresholdPart(Part):
    name: Name = Field(description="a name to find it by, like payment-failures")
    match: Matchers = Field(description='matchers, like [kind="payment_intent.payment_failed"]')
    count: int = Field(ge=2, le=MOST_COUNTED, description="how many events, like 20")
    within: PositiveDuration = Field(description="in which time, like 5m")
    distinct: LabelName | None = Field(
        default=None, description="count values of this label or detail, like customer"
    )
    rate: RatePart | None = Field(default=None, description="against what is usual, like {times: 3}")
    ratio: RatioPart | None = Field(default=None, description="how much of them and another kind")
    quiet: PositiveDuration | None = Field(default=None, description="resolved after this long without one")
    severity: SeverityField = Field(description="how bad it is then, like SEV-1")
    title: Text = Field(description="what people are told, in a few words")
    by: Many[LabelName] = Field(default=(), description="labels each value of which counts on its own")
    most: int = Field(default=MOST_COMBINATIONS, ge=1, le=10_000, description="how many combinations of by")
    team: str = Field(default="", description="the team it belongs to")
    service: str = Field(default="", description="the service it is about")
    labels: Labels = Field(default={}, description="labels the alert gets")

    @model_validator(mode="after")
    def _one_way(self) -> "ThresholdPart":
        ways = [way for way in ("distinct", "rate", "ratio") if getattr(self, way)]
        if len(ways) > 1:
            raise Refusal(" and ".join(ways) + " together", "write one of them, or a second threshold")
        if self.distinct in self.by:
            fix = "count different values of another label, or leave it out of by"
            raise Refusal(f"each {self.distinct} counted on its own has one value of it", fix, ("distinct",))
        return self


def build_thresholds(parts: tuple[ThresholdPart, ...], spot: Spot) -> tuple[Threshold, ...]:
    return tuple(_threshold(part, spot.at("thresholds", number)) for number, part in enumerate(parts))


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
        distinct=part.distinct or "",
        rate=Rate(part.rate.times, part.rate.windows) if part.rate else None,
        ratio=Ratio(part.ratio.percent, part.ratio.match) if part.ratio else None,
        most=part.most,
    )
