"""Target: whom a step calls or a route informs."""

from typing import Literal

from pydantic import Field, ValidationInfo, model_validator

from routing.schema.fields import ChannelName, ContactName, ScheduleName, TeamName, Text
from routing.schema.part import Part, known
from routing.schema.refusal import Refusal


class TargetPart(Part):
    """A contact, a team, whoever is on call in a schedule (or is next, or was before), a place on a channel."""

    contact: ContactName | None = Field(default=None, description="a contact of oncall.yaml")
    team: TeamName | None = Field(default=None, description="a team of oncall.yaml: all of its contacts")
    schedule: ScheduleName | None = Field(
        default=None, description="a schedule of oncall.yaml: who is on call"
    )
    shift: Literal["current", "next", "previous"] | None = Field(
        default=None, description="of the schedule: who is on call, who is next, or who was before"
    )
    channel: ChannelName | None = Field(
        default=None, description="a channel of channels.yaml that does not ring, with an address"
    )
    address: Text | None = Field(default=None, description="where on the channel, like room@example.com")

    @model_validator(mode="after")
    def _one(self, info: ValidationInfo) -> "TargetPart":
        named = [kind for kind in ("contact", "team", "schedule", "channel") if getattr(self, kind)]
        if len(named) != 1:
            found = f"both a {' and a '.join(named)}" if named else "neither a contact nor a schedule"
            raise Refusal(found, "write one of contact, team, schedule or channel, like schedule: primary")
        if self.shift and not self.schedule:
            raise Refusal("a shift of no schedule", "write it beside of schedule, or remove it", ("shift",))
        if (self.address is None) == (self.channel is not None):
            fix = "write both, like {channel: mail, address: room@example.com}"
            raise Refusal("a channel without an address, or the reverse", fix)
        if self.channel in known(info).voices:
            fix = "make a contact of it, with a method that does not: acks and resolves are told without ringing"
            raise Refusal(f'"{self.channel}" rings a phone', fix, ("channel",))
        return self

    @property
    def pair(self) -> tuple[str, str]:
        """(kind, name) as `routing.escalation.Target` has them."""
        if self.channel:
            return "channel", f"{self.channel}:{self.address}"
        if self.schedule:
            return (self.shift if self.shift in {"next", "previous"} else None) or "schedule", self.schedule
        return ("contact", self.contact) if self.contact else ("team", self.team or "")
