"""`escalation.yaml`: who is called, then who next. A policy may branch, and end in another one's steps."""

from typing import Annotated, Literal

import msgspec
from pydantic import AfterValidator, Field, model_validator

from routing.escalation import Delay, When
from routing.policy import EscalationPolicy, EscalationStep
from routing.schema.conditions import ConditionPart
from routing.schema.fields import HoursName, Name, PolicyName, PositiveDuration, SeverityField, Some
from routing.schema.part import Part, Spot
from routing.schema.refusal import Refusal, refuse_all
from routing.schema.target import TargetPart
from routing.schema.written import SEVERITY, several, shown_as
from routing.severity import Severity

MOST_REPEATS = 100


def patient(severities: tuple[Severity, ...]) -> tuple[Severity, ...]:
    """Those that may wait for hours or for a digest. Raises Refusals for those that must not."""
    fix = "leave it out: SEV-0 and SEV-1 are told at once, at any hour"
    refuse_all(
        [
            Refusal(f"{severity} that waits", fix, (number,))
            for number, severity in enumerate(severities)
            if severity <= Severity.SEV1
        ]
    )
    return severities


_PATIENT = SEVERITY | {"enum": [str(each) for each in Severity if each > Severity.SEV1]}

PatientSeverities = Annotated[Some[SeverityField], AfterValidator(patient), shown_as(several(_PATIENT))]


class DelayPart(Part):
    severity: PatientSeverities = Field(description="which may wait, like [SEV-3, SEV-4]")
    hours: HoursName = Field(description="the hours they wait for, of calendar.yaml")

    def build(self) -> Delay:
        return Delay(hours=self.hours, severities=[int(each) for each in self.severity])


class StepPart(Part):
    notify: Some[TargetPart] = Field(description="whom, like [schedule: primary]")
    wait: PositiveDuration = Field(description="how long for an answer before the next step, like 5m")
    until: Literal["ack", "all"] = Field(default="ack", description="one acknowledgement, or everyone's")
    when: ConditionPart | None = Field(default=None, description="passed over unless this holds")
    delay: DelayPart | None = Field(default=None, description="severity and hours: which wait for which")


class BranchPart(Part):
    when: ConditionPart = Field(description="severity, service, team, during, outside or match")
    steps: tuple[StepPart, ...] = Field(default=(), strict=False, description="each with notify and wait")
    then: PolicyName | None = Field(default=None, description="the policy whose steps follow")

    @model_validator(mode="after")
    def _leads_somewhere(self) -> "BranchPart":
        if not self.steps and self.then is None:
            raise Refusal("a branch that leads nowhere", "add steps, or then: with the name of a policy")
        return self


class PolicyPart(Part):
    branches: tuple[BranchPart, ...] = Field(
        default=(), strict=False, description="the first whose when holds is taken, else the steps"
    )
    steps: Some[StepPart] = Field(description="each with notify and wait")
    repeat: int = Field(default=0, ge=0, le=MOST_REPEATS, description="how often all of it is done again")
    then: PolicyName | None = Field(default=None, description="the policy whose steps follow")
    delay: DelayPart | None = Field(default=None, description="severity and hours: which wait for which")


class EscalationFile(Part):
    """Who is called, then who next. A policy may branch, and end in another one's steps."""

    policies: dict[Name, PolicyPart] = Field(description="name, then steps")


def build_escalations(file: EscalationFile, spot: Spot) -> dict[str, EscalationPolicy]:
    """Expects what `routing.schema.relations` has found free of cycles."""
    return {
        name: EscalationPolicy(
            name=name,
            steps=_policy(file, name, spot, ()),
            repeat=part.repeat,
            origin=spot.at("policies", name).origin,
        )
        for name, part in file.policies.items()
    }


def _policy(
    file: EscalationFile, name: str, spot: Spot, guards: tuple[When, ...]
) -> tuple[EscalationStep, ...]:
    """All steps in one row: those of a branch ask for its condition, those after it for the contrary."""
    part, at = file.policies[name], spot.at("policies", name)
    delay = part.delay.build() if part.delay else None
    row: tuple[EscalationStep, ...] = ()
    for number, branch in enumerate(part.branches):
        taken = (*guards, branch.when.build())
        row += _steps(branch.steps, at.at("branches", number, "steps"), taken, delay)
        row += _policy(file, branch.then, spot, taken) if branch.then else ()
        guards = (*guards, msgspec.structs.replace(taken[-1], negate=True))
    row += _steps(part.steps, at.at("steps"), guards, delay)
    return row + (_policy(file, part.then, spot, guards) if part.then else ())


def _steps(
    parts: tuple[StepPart, ...], spot: Spot, guards: tuple[When, ...], delay: Delay | None
) -> tuple[EscalationStep, ...]:
    return tuple(
        EscalationStep(
            targets=tuple(target.pair for target in part.notify),
            wait_ms=part.wait,
            origin=spot.at(number).origin,
            until=part.until,
            when=(*guards, part.when.build()) if part.when else guards,
            delay=part.delay.build() if part.delay else delay,
        )
        for number, part in enumerate(parts)
    )
