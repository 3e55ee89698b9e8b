"""What the business runs on: how much each service matters, whose it is, what it stands on."""

from dataclasses import dataclass

from routing.reason import Origin

# Every event of a known service needs one of them.
_TIERS = {tier: str(tier) for tier in range(1, 5)}


@dataclass(frozen=True, slots=True)
class Service:
    """`tier` 1 matters most, 4 least. `depends_on` are names of services that it cannot do without."""

    name: str
    tier: int
    origin: Origin
    title: str = ""
    team: str = ""
    depends_on: tuple[str, ...] = ()
    owner: tuple[str, str] | None = None
    """Who answers for it: ("contact", "anna") or ("schedule", "primary")."""

    @property
    def tier_label(self) -> str:
        """As matchers see it, in the label `service_tier`."""
        return _TIERS[self.tier]
