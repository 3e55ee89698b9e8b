"""Who is paged, then who next."""

from dataclasses import dataclass

from routing.escalation import Delay, When
from routing.reason import Origin


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """`until` is "ack" or "all". `when` holds what the step and the branches it stands in ask for."""

    targets: tuple[tuple[str, str], ...]
    """(kind, name) as `routing.escalation.Target` has them: ("contact", "anna"), ("schedule", "primary")."""
    wait_ms: int
    origin: Origin
    until: str = "ack"
    when: tuple[When, ...] = ()
    delay: Delay | None = None


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    """`steps` with those of its branches, and of the policy it goes on with, in one row."""

    name: str
    steps: tuple[EscalationStep, ...]
    repeat: int
    origin: Origin
