"""Who is paged, then who next."""

from dataclasses import dataclass

from routing.reason import Origin


@dataclass(frozen=True, slots=True)
class EscalationStep:
    targets: tuple[tuple[str, str], ...]
    """(kind, name): ("contact", "anna"), ("schedule", "primary")."""
    wait_ms: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    name: str
    steps: tuple[EscalationStep, ...]
    repeat: int
    origin: Origin
