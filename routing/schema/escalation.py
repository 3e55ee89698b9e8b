"""`escalation.yaml`: who is called, then who next. A policy may end in another one's steps."""

from pydantic import Field

from routing.policy import EscalationPolicy, EscalationStep
from routing.schema.fields import Name, PolicyName, PositiveDuration, Some
from routing.schema.part import Part, Spot
from routing.schema.target import TargetPart

MOST_REPEATS = 100


class StepPart(Part):
    notify: Some[TargetPart] = Field(description="whom, like [schedule: primary]")
    wait: PositiveDuration = Field(description="how long for an answer before the next step, like 5m")


class PolicyPart(Part):
    steps: Some[StepPart] = Field(description="each with notify and wait")
    repeat: int = Field(default=0, ge=0, le=MOST_REPEATS, description="how often all of it is done again")
    then: PolicyName | None = Field(default=None, description="the policy whose steps follow")


class EscalationFile(Part):
    policies: dict[Name, PolicyPart] = Field(description="name, then steps")


def build_escalations(file: EscalationFile, spot: Spot) -> dict[str, EscalationPolicy]:
    """Expects what `routing.schema.relations` has found free of cycles."""
    return {
        name: EscalationPolicy(
            name=name,
            steps=_steps(file, name, spot),
            repeat=part.repeat,
            origin=spot.at("policies", name).origin,
        )
        for name, part in file.policies.items()
    }


def _steps(file: EscalationFile, name: str, spot: Spot) -> tuple[EscalationStep, ...]:
    part, at = file.policies[name], spot.at("policies", name, "steps")
    own = tuple(
        EscalationStep(
            targets=tuple(target.pair for target in step.notify),
            wait_ms=step.wait,
            origin=at.at(number).origin,
        )
        for number, step in enumerate(part.steps)
    )
    return own + (_steps(file, part.then, spot) if part.then else ())
