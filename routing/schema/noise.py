"""`noise.yaml`: what is not worth a page of its own. Optional, and so is each of its parts."""

from pydantic import Field

from routing.calendar.hours import Hours
from routing.instant import MINUTE
from routing.policy import Flapping, Maintenance, Noise, Relation, Tie
from routing.schema.fields import (
    Duration,
    HoursName,
    LabelName,
    Many,
    Matchers,
    Name,
    PositiveDuration,
    Text,
)
from routing.schema.part import Part, Spot

MOST_CHANGES = 50
"""They are kept with each alert."""


class InhibitionPart(Part):
    name: Name = Field(description="a name to find it by, like site-down")
    source: Matchers = Field(description='matchers of what mutes, like [kind="SiteDown"]')
    target: Matchers = Field(description='matchers of what is muted, like [severity=~"SEV-2|SEV-3"]')
    equal: Many[LabelName] = Field(
        default=(), description="labels both have the same value of, like [service]"
    )


class CorrelationPart(Part):
    name: Name = Field(description="a name to find it by, like payments-database")
    parent: Matchers = Field(description='matchers of the cause, like [kind="DatabaseDown"]')
    child: Matchers = Field(description='matchers of its effects, like [kind="payments-failing"]')
    within: PositiveDuration = Field(description="both begin no further apart than this, like 10m")
    equal: Many[LabelName] = Field(
        default=(), description="labels both have the same value of, like [cluster]"
    )


class MaintenancePart(Part):
    name: Name = Field(description="a name to find it by, like backup")
    match: Matchers = Field(description='matchers of what is muted, like [service="database"]')
    hours: HoursName = Field(description="hours of calendar.yaml in which it is muted")
    reason: Text = Field(description="what people are told, in a few words")


class FlappingPart(Part):
    enabled: bool = Field(default=True, description="false: flapping is not looked for")
    changes: int = Field(
        default=6, ge=3, le=MOST_CHANGES, description="how often it begins or ceases to fire"
    )
    within: PositiveDuration = Field(default=30 * MINUTE, description="in which time, like 30m")
    steady: PositiveDuration = Field(
        default=15 * MINUTE, description="flapping is over after this long without a change, like 15m"
    )


class DependenciesPart(Part):
    within: Duration = Field(
        default=30 * MINUTE, description="both begin no further apart; 0s: never related"
    )
    match: Matchers = Field(default=(), description="alerts that say how a service is, all where left out")


class NoiseFile(Part):
    """What is not worth a page of its own. Optional, and so is each of its parts."""

    inhibitions: Many[InhibitionPart] = Field(default=(), description="alerts that mute others")
    correlations: Many[CorrelationPart] = Field(default=(), description="alerts that are the cause of others")
    dependencies: DependenciesPart = Field(
        default=DependenciesPart(), description="alerts of services that depend on each other"
    )
    maintenance: Many[MaintenancePart] = Field(
        default=(), description="what is muted at hours of calendar.yaml"
    )
    flapping: FlappingPart = Field(
        default=FlappingPart(), description="alerts that begin and cease to fire again and again"
    )


def build_noise(file: NoiseFile | None, spot: Spot, hours: dict[str, Hours]) -> Noise:
    if file is None:
        return Noise()
    flapping = file.flapping
    return Noise(
        relations=(
            *(_inhibition(part, spot.at("inhibitions", n)) for n, part in enumerate(file.inhibitions)),
            *(_correlation(part, spot.at("correlations", n)) for n, part in enumerate(file.correlations)),
        ),
        flapping=Flapping(flapping.changes, flapping.within, flapping.steady) if flapping.enabled else None,
        dependency_ms=file.dependencies.within,
        dependent=file.dependencies.match,
        maintenance=tuple(
            Maintenance(
                part.name, part.match, hours[part.hours], part.reason, spot.at("maintenance", n).origin
            )
            for n, part in enumerate(file.maintenance)
        ),
    )


def _inhibition(part: InhibitionPart, spot: Spot) -> Relation:
    return Relation(Tie.INHIBITS, part.name, part.source, part.target, part.equal, spot.origin)


def _correlation(part: CorrelationPart, spot: Spot) -> Relation:
    return Relation(Tie.CAUSES, part.name, part.parent, part.child, part.equal, spot.origin, part.within)
