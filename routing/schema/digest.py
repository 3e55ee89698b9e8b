"""Digests: what need not be told one by one, and when it is told."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from routing.policy import Digest
from routing.schema.escalation import PatientSeverities
from routing.schema.fields import Zone
from routing.schema.part import Part
from routing.schema.refusal import Refusal, shown
from routing.schema.weekly import minute_of_day
from routing.schema.written import TIME_OF_DAY, like, shown_as

_TIME_LENGTH = len("09:00")


def _time(value: Any) -> Any:
    fix = 'write a time of day in quotes, like "09:00"'
    if not isinstance(value, str) or len(value) != _TIME_LENGTH or value[2] != ":":
        raise Refusal(f"{shown(value)} is no time of day", fix)
    if not (value.isascii() and (value[:2] + value[3:]).isdecimal()):
        raise Refusal(f"{shown(value)} is no time of day", fix)
    return minute_of_day(value)


TimeOfDay = Annotated[
    int, BeforeValidator(_time), shown_as(like(TIME_OF_DAY, "a time of day, in quotes", "09:00"))
]


class DigestPart(Part):
    severities: PatientSeverities = Field(description="what is collected, like [SEV-3, SEV-4]")
    at: TimeOfDay = Field(description='when it is told, like "09:00"')
    timezone: Zone | None = Field(default=None, description="by whose clock; the contact's where left out")

    def build(self, timezone: str) -> Digest:
        return Digest(frozenset(self.severities), self.at, self.timezone or timezone)
