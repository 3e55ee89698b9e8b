"""What the business runs on: how much each service matters, whose it is, what it stands on."""

from dataclasses import dataclass

from routing.reason import Origin


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
