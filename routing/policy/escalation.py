"""Who is paged, then who next."""

from dataclasses import dataclass, field

from routing.escalation import Delay, Escalation, Stage, Target, When
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
    begun: Escalation = field(init=False, repr=False, compare=False)
    """As an incident keeps it that begins with it: later changes of the policy do not move it."""

    def __post_init__(self) -> None:
        stages = [
            Stage(
                targets=[Target(kind=kind, name=name) for kind, name in step.targets],
                wait_ms=step.wait_ms,
                origin=str(step.origin),
                until=step.until,
                when=list(step.when),
                delay=step.delay,
            )
            for step in self.steps
        ]
        begun = Escalation(policy=self.name, stages=stages, repeat=self.repeat, origin=str(self.origin))
        object.__setattr__(self, "begun", begun)
