"""`runbooks/*.yaml`: one runbook a file: look, decide, repair, and see that the symptom is gone."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from routing import expressions, template
from routing.policy import Guard, Limits, Runbook, RunbookStep, Verify
from routing.refusal import Refusal, refuse_all, suggestion
from routing.schema.fields import (
    ActionName,
    Condition,
    Many,
    Matchers,
    Name,
    PositiveDuration,
    SeverityField,
    Some,
    Text,
)
from routing.schema.fitting import misfits
from routing.schema.part import Part, Spot, known

GIVEN = frozenset({"incident", "run", "now"})
"""What every runbook may refer to; the results of its own steps come on top."""
SURE = frozenset(
    {"incident.id", "incident.title", "incident.severity", "incident.service", "incident.team", "run.id"}
)
"""What is always there, and so may name the target."""

_RECOVER = re.compile(r"self_healing|irreversible|undo: \S.*")
_RECOVER_FIX = 'write self_healing, irreversible, or "undo: <what takes it back>"'
_STEP_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")


class BreakerPart(Part):
    failures: int = Field(default=2, ge=1, le=100)
    open: PositiveDuration = 3_600_000


class LimitsPart(Part):
    cooldown: PositiveDuration = 600_000
    per_hour: int = Field(default=3, ge=1, le=60)
    per_day: int = Field(default=7, ge=1, le=1000)
    breaker: BreakerPart = BreakerPart()


class StepPart(Part):
    id: str = Field(description="a name for its result, like health")
    action: ActionName = Field(description="what it does, like http.probe")
    params: dict[str, Any] = Field(default={}, validate_default=True)
    timeout: PositiveDuration = 30_000
    attempts: int = Field(default=1, ge=1, le=10)

    @field_validator("id")
    @classmethod
    def _id(cls, text: str) -> str:
        if not _STEP_ID.fullmatch(text) or text in GIVEN:
            raise Refusal(
                f'"{text}" cannot name a step', "use lower-case letters, digits and _, a letter first"
            )
        return text

    @field_validator("params")
    @classmethod
    def _fit(cls, params: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        refusals = list(_malformed(params))
        catalogue = known(info).catalogue
        facts = catalogue.actions.get(info.data.get("action", "")) if catalogue else None
        if facts is not None and facts.params is not None:
            refusals += misfits(facts.params, params)
        refuse_all(refusals)
        return params


class ReadingPart(StepPart):
    """A step that only looks."""

    attempts: int = Field(default=2, ge=1, le=10)

    @field_validator("action")
    @classmethod
    def _reads(cls, action: str, info: ValidationInfo) -> str:
        if _mutates(action, info):
            raise Refusal(
                f'"{action}" changes something', "move it to remediate, or name an action that reads"
            )
        return action


class RepairPart(StepPart):
    """A step that may change something: it says how that is recovered from."""

    idempotency_key: str = ""
    recover: str = Field(default="", validate_default=True)

    @field_validator("recover")
    @classmethod
    def _recovers(cls, recover: str, info: ValidationInfo) -> str:
        if recover and not _RECOVER.fullmatch(recover):
            raise Refusal(f'"{recover}" is no way to recover', _RECOVER_FIX)
        if not recover and _mutates(info.data.get("action", ""), info):
            raise Refusal('"recover" is missing: the step changes something', f"add recover: {_RECOVER_FIX}")
        return recover


class GuardPart(Part):
    require: Condition = Field(description="a JMESPath condition, like health.failures == `3`")
    reason: Text = Field(description="what is told when it does not hold")
    otherwise: Literal["stop", "fail"] = "stop"


class VerifyPart(ReadingPart):
    id: str = "verify"
    until: Condition = Field(description="a condition over the step's own result, like ok")
    every: PositiveDuration = 15_000
    lasting: PositiveDuration = Field(alias="for", description="how long it must hold, like 2m")
    deadline: PositiveDuration | None = Field(default=None, description="gives up after this long, like 5m")


class FollowUpPart(Part):
    text: Text = Field(description="what is left to do")
    remind: PositiveDuration = Field(description="when to remind of it, like 24h")


class RunbookFile(Part):
    id: Name = Field(description="a name to find it by, like rollback")
    version: int = Field(ge=1, description="counts its revisions, from 1")
    title: Text = Field(description="what it does, in a few words")
    reference: str = Field(default="", description="where the procedure is written up")
    match: Matchers = Field(description='labels of the alerts it is for, like [kind="SiteDown"]')
    severity: Many[SeverityField] = ()
    target: Text = Field(description='what it acts on, like "vercel:shop": lock and limits go by it')
    mode: Literal["auto", "dry_run", "off"] = Field(description="auto, dry_run or off")
    timeout: PositiveDuration = Field(description="the whole run gives up after this long, like 6m")
    limits: LimitsPart = LimitsPart()
    diagnose: Some[ReadingPart] = Field(description="steps that only look")
    guards: Many[GuardPart] = ()
    remediate: Some[RepairPart] = Field(description="steps that repair")
    verify: VerifyPart = Field(description="how it is seen that the symptom is gone")
    followups: Many[FollowUpPart] = ()
    resolves: bool = True

    @field_validator("target")
    @classmethod
    def _sure(cls, target: str) -> str:
        refuse_all(
            [
                Refusal(f"{{{{ {path} }}}} may be missing when the run starts", suggestion(path, SURE))
                for path in template.paths(target)
                if path not in SURE
            ]
        )
        return target

    @field_validator("diagnose")
    @classmethod
    def _diagnosed(cls, steps: tuple[ReadingPart, ...]) -> tuple[ReadingPart, ...]:
        refuse_all(_unknown_paths(steps, ()))
        return steps

    @field_validator("guards")
    @classmethod
    def _guarded(cls, guards: tuple[GuardPart, ...], info: ValidationInfo) -> tuple[GuardPart, ...]:
        if "diagnose" in info.data:
            names = GIVEN | {step.id for step in info.data["diagnose"]}
            refuse_all(
                [
                    Refusal(f'no step "{root}" before it', suggestion(root, names), (number, "require"))
                    for number, guard in enumerate(guards)
                    for root in sorted(expressions.roots(guard.require) - names)
                ]
            )
        return guards

    @field_validator("remediate")
    @classmethod
    def _repaired(cls, steps: tuple[RepairPart, ...], info: ValidationInfo) -> tuple[RepairPart, ...]:
        if "diagnose" in info.data:
            refuse_all(_unknown_paths(steps, info.data["diagnose"]))
        return steps

    @field_validator("verify")
    @classmethod
    def _verified(cls, verify: VerifyPart, info: ValidationInfo) -> VerifyPart:
        before = (*info.data.get("diagnose", ()), *info.data.get("remediate", ()))
        if verify.id in {step.id for step in before}:
            raise Refusal(f'a second step "{verify.id}"', "give it another id", ("id",))
        return verify


def _mutates(action: str, info: ValidationInfo) -> bool:
    catalogue = known(info).catalogue
    facts = catalogue.actions.get(action) if catalogue else None
    return facts is not None and facts.mutates


def _malformed(value: Any, at: tuple[str | int, ...] = ()) -> Iterable[Refusal]:
    if isinstance(value, str) and template.is_malformed(value):
        yield Refusal("braces that are no placeholder", "write {{ name.field }}, nothing else inside", at)
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _malformed(each, (*at, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _malformed(each, (*at, number))


def _unknown_paths(steps: tuple[StepPart, ...], before: tuple[StepPart, ...]) -> list[Refusal]:
    """Placeholders that refer to no earlier step, and ids used twice."""
    refusals = []
    names = GIVEN | {step.id for step in before}
    for number, step in enumerate(steps):
        if step.id in names:
            refusals.append(Refusal(f'a second step "{step.id}"', "give it another id", (number, "id")))
        for path in template.paths([step.params, getattr(step, "idempotency_key", "")]):
            root = path.partition(".")[0]
            if root not in names:
                refusals.append(Refusal(f'no step "{root}" before it', suggestion(root, names), (number,)))
        names |= {step.id}
    return refusals


def build_runbook(file: RunbookFile, spot: Spot, mutating: frozenset[str]) -> Runbook:
    """`mutating` names the actions that change something."""
    return Runbook(
        id=file.id,
        version=file.version,
        title=file.title,
        matchers=file.match,
        target=file.target,
        mode=file.mode,
        limits=_limits(file.limits),
        timeout_ms=file.timeout,
        diagnose=_steps(file.diagnose, spot.at("diagnose"), mutating),
        guards=tuple(
            Guard(part.require, part.reason, part.otherwise, spot.at("guards", number).origin)
            for number, part in enumerate(file.guards)
        ),
        remediate=_steps(file.remediate, spot.at("remediate"), mutating),
        verify=_verify(file.verify, spot.at("verify"), mutating),
        origin=spot.origin,
        resolves=file.resolves,
        followups=tuple((part.text, part.remind) for part in file.followups),
        when_severity=file.severity,
    )


def _limits(part: LimitsPart) -> Limits:
    return Limits(
        cooldown_ms=part.cooldown,
        per_hour=part.per_hour,
        per_day=part.per_day,
        breaker_failures=part.breaker.failures,
        breaker_open_ms=part.breaker.open,
    )


def _steps(
    parts: tuple[ReadingPart, ...] | tuple[RepairPart, ...], spot: Spot, mutating: frozenset[str]
) -> tuple[RunbookStep, ...]:
    return tuple(_step(part, spot.at(number), mutating) for number, part in enumerate(parts))


def _step(part: StepPart, spot: Spot, mutating: frozenset[str]) -> RunbookStep:
    repair = part if isinstance(part, RepairPart) else None
    return RunbookStep(
        id=part.id,
        action=part.action,
        params=part.params,
        timeout_ms=part.timeout,
        mutates=part.action in mutating,
        origin=spot.origin,
        attempts=part.attempts,
        idempotency_key=repair.idempotency_key if repair else "",
        recover=repair.recover if repair else "",
    )


def _verify(part: VerifyPart, spot: Spot, mutating: frozenset[str]) -> Verify:
    return Verify(
        step=_step(part, spot, mutating),
        until=part.until,
        every_ms=part.every,
        for_ms=part.lasting,
        timeout_ms=part.deadline or 2 * part.lasting,
    )
