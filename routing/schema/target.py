"""Target: whom a step calls or a route informs, a contact or whoever is on call in a schedule."""

from pydantic import model_validator

from routing.schema.fields import ContactName, ScheduleName
from routing.schema.part import Part
from routing.schema.refusal import Refusal


class TargetPart(Part):
    contact: ContactName | None = None
    schedule: ScheduleName | None = None

    @model_validator(mode="after")
    def _one(self) -> "TargetPart":
        if (self.contact is None) == (self.schedule is None):
            found = "both a contact and a schedule" if self.contact else "neither a contact nor a schedule"
            raise Refusal(found, "write one of the two, like contact: anna or schedule: primary")
        return self

    @property
    def pair(self) -> tuple[str, str]:
        return ("contact", self.contact) if self.contact else ("schedule", self.schedule or "")
