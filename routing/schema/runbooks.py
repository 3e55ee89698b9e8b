"""`runbooks/*.yaml`: one runbook a file: look, decide, repair, and see that the symptom is gone."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from routing.policy import Approvers, Budget, Guard, Limits, Runbook, Task
from routing.schema import placeholders
from routing.schema.fields import (
    Condition,
    Many,
    Matchers,
    Name,
    PositiveDuration,
    RunbookName,
    SeverityField,
    Some,
    Text,
)
from routing.schema.part import Part, Spot
from routing.schema.refusal import Refusal, refuse_all
from routing.schema.runbook_tests import RunbookTestPart, missing
from routing.schema.steps import (
    ReadingPart,
    RepairPart,
    StepPart,
    VerifyPart,
    asked_before_faults,
    build_steps,
    build_verify,
    step_faults,
)
from routing.schema.target import TargetPart

InputName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]


class BreakerPart(Part):
    failures: int = Field(default=2, ge=1, le=100, description="how many failed runs in a row open it")
    open: PositiveDuration = Field(default=3_600_000, description="how long it stays open, like 1h")


class ApprovalPart(Part):
    from_: Some[TargetPart] = Field(alias="from", description="who is asked, like [{contact: cto}]")
    people: int = Field(default=1, ge=1, le=5, description="how many of them must approve")
    within: PositiveDuration = Field(description="no answer within this long means no, like 15m")


class BudgetPart(Part):
    per_hour: int = Field(default=10, ge=1, le=1000, description="how many runs an hour, over all targets")
    per_day: int = Field(default=50, ge=1, le=1000, description="how many runs a day, over all targets")


class LimitsPart(Part):
    cooldown: PositiveDuration = Field(
        default=600_000, description="how long between two runs on a target, like 10m"
    )
    per_hour: int = Field(default=3, ge=1, le=60, description="how many runs an hour on a target")
    per_day: int = Field(default=7, ge=1, le=1000, description="how many runs a day on a target")
    everywhere: BudgetPart = Field(
        default=BudgetPart(), description="how often it may run over all targets, like {per_hour: 10}"
    )
    breaker: BreakerPart = Field(
        default=BreakerPart(), description="stops automation on a target where runs keep failing"
    )
    max_affected: int = Field(
        default=0, ge=0, description="more than so many only once somebody has approved"
    )


class GuardPart(Part):
    require: Condition = Field(description="a JMESPath condition, like health.failures == `3`")
    reason: Text = Field(description="what is told when it does not hold")
    otherwise: Literal["stop", "fail"] = Field(
        default="stop", description="whether the run then counts as stopped, or as failed"
    )


class FollowUpPart(Part):
    text: Text = Field(description="what is left to do")
    remind: PositiveDuration = Field(description="when to remind of it, like 24h")


class TaskPart(Part):
    """What is handed over to a person, with what was diagnosed, instead of a repair."""

    text: Text = Field(description="what is to be done, like decide on dispute {{ incident.labels.dispute }}")
    to: TargetPart = Field(description="who has it, like {contact: cto} or {schedule: primary}")
    remind: PositiveDuration = Field(description="how often they are reminded of it, like 24h")


class OnFailurePart(Part):
    next: RunbookName = Field(description="the runbook that is tried then, like redeploy")


class RunbookFile(Part):
    """One runbook: look, decide, repair, and see that the symptom is gone; or look, and hand over to a person."""

    id: Name = Field(description="a name to find it by, like rollback")
    version: int = Field(ge=1, description="counts its revisions, from 1")
    title: Text = Field(description="what it does, in a few words")
    reference: str = Field(default="", description="where the procedure is written up")
    match: Matchers = Field(description='labels of the alerts it is for, like [kind="SiteDown"]')
    severity: Many[SeverityField] = Field(
        default=(), description="only for incidents of one of these, like [SEV-0, SEV-1]"
    )
    target: Text = Field(description='what it acts on, like "vercel:shop": lock and limits go by it')
    mode: Literal["auto", "approve", "dry_run", "off"] = Field(description="auto, approve, dry_run or off")
    approval: ApprovalPart | None = Field(
        default=None, validate_default=True, description="from, people and within: who approves"
    )
    inputs: dict[InputName, Text] = Field(
        default={}, description="texts its steps name as {{ inputs.<name> }}; a person may word them anew"
    )
    timeout: PositiveDuration = Field(description="the whole run gives up after this long, like 6m")
    limits: LimitsPart = Field(default=LimitsPart(), description="how often it may run")
    diagnose: Some[ReadingPart] = Field(description="steps that only look")
    guards: Many[GuardPart] = Field(default=(), description="what must hold before anything is repaired")
    task: TaskPart | None = Field(
        default=None, description="text, to and remind: what a person does, where nothing repairs it"
    )
    remediate: Many[RepairPart] = Field(default=(), validate_default=True, description="steps that repair")
    verify: VerifyPart | None = Field(
        default=None, validate_default=True, description="how it is seen that the symptom is gone"
    )
    on_failure: OnFailurePart | None = Field(
        default=None, description="next: the runbook that is tried for the same incident when a run fails"
    )
    followups: Many[FollowUpPart] = Field(default=(), description="what is left to do afterwards")
    resolves: bool = Field(default=True, description="false: a repair does not resolve the incident")
    tests: Many[RunbookTestPart] = Field(
        default=(),
        validate_default=True,
        description="what it proves of itself: name, happens, given, expect",
    )

    @field_validator("target")
    @classmethod
    def _sure(cls, target: str) -> str:
        refuse_all(placeholders.target_faults(target))
        return target

    @field_validator("approval")
    @classmethod
    def _approved(cls, approval: ApprovalPart | None, info: ValidationInfo) -> ApprovalPart | None:
        if approval is None and info.data.get("mode") == "approve":
            fix = "write who approves, like {from: [{contact: cto}], within: 15m}"
            raise Refusal("mode approve, and nobody to approve", fix)
        return approval

    @field_validator("diagnose")
    @classmethod
    def _diagnosed(cls, steps: tuple[ReadingPart, ...]) -> tuple[ReadingPart, ...]:
        refuse_all(step_faults(steps, ()))
        return steps

    @field_validator("guards")
    @classmethod
    def _guarded(cls, guards: tuple[GuardPart, ...], info: ValidationInfo) -> tuple[GuardPart, ...]:
        before = _before(info, "diagnose")
        if before is not None:
            ids = [step.id for step in before]
            refuse_all(
                [
                    Refusal(fault.found, fault.fix, (number, "require"))
                    for number, guard in enumerate(guards)
                    for fault in placeholders.condition_faults(guard.require, ids)
                ]
            )
        return guards

    @field_validator("task")
    @classmethod
    def _handed_over(cls, task: TaskPart | None, info: ValidationInfo) -> TaskPart | None:
        before = _before(info, "diagnose")
        if task is not None and info.data.get("mode") == "approve":
            raise Refusal("mode approve, and a task, which changes nothing", "write mode: auto")
        if task is not None and before is not None:
            refuse_all(placeholders.faults({"text": task.text}, [step.id for step in before]))
        return task

    @field_validator("remediate")
    @classmethod
    def _repaired(cls, steps: tuple[RepairPart, ...], info: ValidationInfo) -> tuple[RepairPart, ...]:
        if "task" in info.data and bool(steps) is (info.data["task"] is not None):
            found = "both a task and a repair" if steps else "neither a repair nor a task"
            raise Refusal(
                found, "write remediate and verify, or a task like {text: ..., to: ..., remind: 24h}"
            )
        before = _before(info, "diagnose")
        if before is not None:
            unknown = placeholders.input_faults([step.params for step in steps], info.data.get("inputs", {}))
            named = [Refusal(each.found, each.fix, (each.at[0], "params", *each.at[1:])) for each in unknown]
            refuse_all([*step_faults(steps, before), *asked_before_faults(steps, before), *named])
        return steps

    @field_validator("verify")
    @classmethod
    def _verified(cls, verify: VerifyPart | None, info: ValidationInfo) -> VerifyPart | None:
        if verify is None:
            if info.data.get("remediate"):
                raise Refusal(
                    '"verify" is missing: it repairs', "add verify: a step that looks, until, every, for"
                )
            return None
        if info.data.get("task") is not None:
            raise Refusal(
                "verify of a task, which repairs nothing", "remove it: a person says when it is done"
            )
        before = _before(info, "diagnose", "remediate")
        found = step_faults([verify], before) if before is not None else []
        refusals = [Refusal(fault.found, fault.fix, fault.at[1:]) for fault in found]
        if verify.lasting >= info.data.get("timeout", verify.lasting + 1):
            fix = "give the run more time, or verify for less"
            refusals.append(Refusal("it must hold for longer than the whole run may take", fix, ("for",)))
        refuse_all(refusals)
        return verify

    @field_validator("tests")
    @classmethod
    def _proven(cls, tests: tuple[RunbookTestPart, ...], info: ValidationInfo) -> tuple[RunbookTestPart, ...]:
        if "task" in info.data:
            refuse_all(missing(tests, hands_over=info.data["task"] is not None))
        return tests

    @field_validator("followups")
    @classmethod
    def _left(cls, followups: tuple[FollowUpPart, ...], info: ValidationInfo) -> tuple[FollowUpPart, ...]:
        if followups and info.data.get("task") is not None:
            raise Refusal("followups of a task, which leaves nothing behind", "write it into the task's text")
        before = _before(info, "diagnose", "remediate", "verify")
        if before is not None:
            words = [{"text": each.text} for each in followups]
            refuse_all(placeholders.faults(words, [step.id for step in before]))
        return followups


def _before(info: ValidationInfo, *fields: str) -> list[StepPart] | None:
    """The steps of these fields; None when one of them is faulty, for then nobody knows their ids."""
    if any(field not in info.data for field in fields):
        return None
    found: list[StepPart] = []
    for field in fields:
        value = info.data[field]
        found += [value] if isinstance(value, StepPart) else value or ()
    return found


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
        diagnose=build_steps(file.diagnose, spot.at("diagnose"), mutating),
        guards=tuple(
            Guard(part.require, part.reason, part.otherwise, spot.at("guards", number).origin)
            for number, part in enumerate(file.guards)
        ),
        remediate=build_steps(file.remediate, spot.at("remediate"), mutating),
        verify=build_verify(file.verify, spot.at("verify"), mutating) if file.verify else None,
        origin=spot.origin,
        resolves=file.resolves,
        inputs=dict(file.inputs),
        followups=tuple((part.text, part.remind) for part in file.followups),
        when_severity=file.severity,
        approval=_approvers(file.approval, spot.at("approval")) if file.approval else None,
        next_on_failure=file.on_failure.next if file.on_failure else "",
        task=_task(file.task, spot.at("task")) if file.task else None,
    )


def _task(part: TaskPart, spot: Spot) -> Task:
    return Task(part.text, (part.to.pair,), part.remind, spot.origin)


def _approvers(part: ApprovalPart, spot: Spot) -> Approvers:
    targets = tuple(target.pair for target in part.from_)
    return Approvers(targets, part.people, part.within, spot.origin)


def _limits(part: LimitsPart) -> Limits:
    return Limits(
        cooldown_ms=part.cooldown,
        per_hour=part.per_hour,
        per_day=part.per_day,
        everywhere=Budget(part.everywhere.per_hour, part.everywhere.per_day),
        breaker_failures=part.breaker.failures,
        breaker_open_ms=part.breaker.open,
        max_affected=part.max_affected,
    )
