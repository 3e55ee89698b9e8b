"""Teams of `oncall.yaml`, and digests: what need not be told one by one."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from routing.policy import Digest, Team
from routing.schema.contacts import ContactPart
from routing.schema.digest import DigestPart
from routing.schema.fields import ContactName, Some
from routing.schema.part import Part, Spot
from routing.schema.refusal import Refusal, refuse_all


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    refuse_all(
        [
            Refusal(f"{name} a second time", "remove it", (number,))
            for number, name in enumerate(names)
            if name in names[:number]
        ]
    )
    return names


class TeamPart(Part):
    contacts: Annotated[Some[ContactName], AfterValidator(_each_once)] = Field(
        description="who is told together, like [anna, ben]"
    )
    digest: DigestPart | None = Field(default=None, description="severities and at")


def build_teams(
    parts: Mapping[str, TeamPart], spot: Spot, contacts: Mapping[str, ContactPart]
) -> dict[str, Team]:
    return {
        name: Team(
            name=name,
            contacts=part.contacts,
            origin=spot.at("teams", name).origin,
            digest=_digest(part, contacts),
        )
        for name, part in parts.items()
    }


def _digest(part: TeamPart, contacts: Mapping[str, ContactPart]) -> Digest | None:
    """By the clock of the team's first contact, unless it says otherwise."""
    return part.digest.build(contacts[part.contacts[0]].timezone) if part.digest else None
