"""`services.yaml`: what the business runs on, how much each matters, what it depends on."""

from pydantic import Field

from routing.policy import Service
from routing.schema.fields import Many, ServiceName, Text
from routing.schema.part import Part, Spot
from routing.schema.target import TargetPart

LEAST_TIER = 4
"""Of four: 1 the business stops without it, 2 customers notice at once, 3 later, 4 only we do."""


class ServicePart(Part):
    tier: int = Field(default=2, ge=1, le=LEAST_TIER, description="1 (matters most) to 4 (least)")
    title: str = Field(default="", description="what people call it")
    team: str = Field(default="", description="the team it belongs to where no event or rule says")
    depends_on: Many[ServiceName] = Field(default=(), description="services it cannot do without")
    owner: TargetPart | None = Field(default=None, description="who answers for it, like {contact: anna}")


class ServicesFile(Part):
    """What the business runs on, how much each matters, what it depends on. Optional."""

    services: dict[Text, ServicePart] = Field(description="name, then tier, team, depends_on and owner")


def build_services(file: ServicesFile, spot: Spot) -> dict[str, Service]:
    """Expects what `routing.schema.relations` has found free of cycles."""
    return {
        name: Service(
            name=name,
            tier=part.tier,
            origin=spot.at("services", name).origin,
            title=part.title,
            team=part.team,
            depends_on=part.depends_on,
            owner=part.owner.pair if part.owner else None,
        )
        for name, part in file.services.items()
    }
