"""Promotions of `severity.yaml`: what raises an incident that lasts, grows or spreads."""

from pydantic import Field, model_validator

from routing.policy import Promotion
from routing.schema.fields import Many, Matchers, Name, PositiveDuration, SeverityField
from routing.schema.part import Part, Spot
from routing.schema.refusal import Refusal

MOST_SERVICES = 50
"""`routing.response.promotion` keeps no more names of services with an incident."""


class PromotionPart(Part):
    name: Name = Field(description="a name to find it by, like too-long")
    match: Matchers = Field(default=(), description='matchers, like [service="checkout"]')
    severity: Many[SeverityField] = Field(
        default=(), description="of which severity it must be, like [SEV-2]"
    )
    after: PositiveDuration = Field(default=0, description="for how long, like 1h")
    alerts: int = Field(default=0, ge=1, description="it must have more alerts than this, like 100")
    services: int = Field(
        default=0, ge=1, lt=MOST_SERVICES, description="its alerts must be of more services than this, like 5"
    )
    unacknowledged: bool = Field(default=False, description="true: only while nobody has acknowledged it")
    to: SeverityField = Field(description="what it is raised to, like SEV-1")
    reason: str = Field(default="", description="why, in words people are told")

    @model_validator(mode="after")
    def _raises(self) -> "PromotionPart":
        if not (self.after or self.alerts or self.services):
            raise Refusal("nothing that would raise it", "write after: 1h, alerts: 100 or services: 5")
        milder = [severity for severity in self.severity if severity <= self.to]
        if milder:
            found = f"{milder[0]} raised to {self.to}"
            raise Refusal(found, "write a worse severity in to: only a person lowers an incident", ("to",))
        return self


def build_promotions(parts: tuple[PromotionPart, ...], spot: Spot) -> tuple[Promotion, ...]:
    return tuple(
        Promotion(
            name=part.name,
            to=part.to,
            origin=spot.at("promotions", number).origin,
            matchers=part.match,
            severities=part.severity,
            after_ms=part.after,
            alerts=part.alerts,
            services=part.services,
            unacknowledged=part.unacknowledged,
            reason=part.reason,
        )
        for number, part in enumerate(parts)
    )
