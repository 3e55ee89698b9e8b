"""Steps of a runbook: those that look, those that repair, and the one that sees whether it helped."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from routing.language import template
from routing.policy import RunbookStep, Verify
from routing.schema.fields import ActionName, Condition, PositiveDuration, condition
from routing.schema.fitting import misfits
from routing.schema.part import Part, Spot, known
from routing.schema.placeholders import GIVEN, condition_faults, faults
from routing.schema.refusal import Refusal, Refusals, refuse_all
from routing.schema.written import like, shown_as

MOST_ATTEMPTS = 10

UNDO = "undo_"
"""What takes a step back is a step of this and its id."""

_ASKED_BEFORE = ("when", "affects")

_RECOVER = re.compile(r"self_healing|irreversible|undo: \S.*")
_RECOVER_FIX = 'self_healing, irreversible, or "undo: <what takes it back>"'
_STEP_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")

StepId = Annotated[
    str, shown_as(like(_STEP_ID, "a name for its result", "health") | {"not": {"enum": [*GIVEN]}})
]
Recover = Annotated[
    str,
    shown_as(like(re.compile(f"|{_RECOVER.pattern}"), "how its change is recovered from", "self_healing")),
]


class ActingPart(Part):
    """An action with its parameters."""

    action: ActionName = Field(description="what it does, like http.probe")
    params: dict[str, Any] = Field(
        default={},
        validate_default=True,
        description="what the action takes; {{ name.field }} stands for what is known by then",
    )
    timeout: PositiveDuration = Field(default=30_000, description="how long one attempt may take, like 30s")

    @field_validator("params")
    @classmethod
    def _fit(cls, params: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        catalogue = known(info).catalogue
        facts = catalogue.actions.get(info.data.get("action", "")) if catalogue else None
        if facts is not None and facts.params is not None:
            refuse_all(misfits(facts.params, params))
        return params


class StepPart(ActingPart):
    id: StepId = Field(description="a name for its result, like health")
    attempts: int = Field(default=1, ge=1, le=MOST_ATTEMPTS, description="how often it is tried")

    @field_validator("id")
    @classmethod
    def _id(cls, text: str) -> str:
        if not _STEP_ID.fullmatch(text) or text in GIVEN or text.startswith(UNDO):
            fix = f"use lower-case letters, digits and _, a letter first; not {', '.join(GIVEN)}, {UNDO}..."
            raise Refusal(f'"{text}" cannot name a step', fix)
        return text


class ReadingPart(StepPart):
    """A step that only looks."""

    attempts: int = Field(default=2, ge=1, le=MOST_ATTEMPTS, description="how often it is tried")

    @field_validator("action")
    @classmethod
    def _reads(cls, action: str, info: ValidationInfo) -> str:
        if _mutates(action, info):
            fix = "move it to remediate, or name an action that reads"
            raise Refusal(f'"{action}" changes something', fix)
        return action


class UndoPart(ActingPart):
    """What takes a change back. Its parameters may refer to what the change itself brought."""

    attempts: int = Field(default=3, ge=1, le=MOST_ATTEMPTS, description="how often it is tried")


class RepairPart(StepPart):
    """A step that may change something: it says how that is recovered from."""

    idempotency_key: str = Field(default="", description="sent along, so that a repeat changes nothing")
    when: str = Field(
        default="",
        description="a condition on what was diagnosed: the step is left out where it does not hold",
    )
    undo: UndoPart | None = Field(default=None, description="action and params: what takes it back")
    expires: PositiveDuration | None = Field(
        default=None, validate_default=True, description="it is taken back after so long, like 1h"
    )
    affects: str = Field(
        default="", description="a condition that counts what it would affect, like before.idle"
    )
    recover: Recover = Field(default="", validate_default=True, description=f"how: {_RECOVER_FIX}")

    @field_validator("expires")
    @classmethod
    def _undone(cls, expires: int | None, info: ValidationInfo) -> int | None:
        if expires is not None and info.data.get("undo", True) is None:
            fix = "add undo: what takes it back, like {action: vercel.attack_mode, params: {...}}"
            raise Refusal("a time, and nothing that takes it back", fix)
        return expires

    @field_validator("recover")
    @classmethod
    def _recovers(cls, recover: str, info: ValidationInfo) -> str:
        if recover and not _RECOVER.fullmatch(recover):
            raise Refusal(f'"{recover}" is no way to recover', f"write {_RECOVER_FIX}")
        if not recover and _mutates(info.data.get("action", ""), info):
            raise Refusal('"recover" is missing: the step changes something', f"add recover: {_RECOVER_FIX}")
        return recover


class VerifyPart(ReadingPart):
    """`until` is judged over this step's own result: `ok`, not `verify.ok`."""

    id: StepId = Field(default="verify", description="a name for its result")
    until: Condition = Field(description="a condition over the step's own result, like ok")
    every: PositiveDuration = Field(default=15_000, description="how often it looks, like 15s")
    lasting: PositiveDuration = Field(alias="for", description="how long it must hold, like 2m")
    deadline: PositiveDuration | None = Field(default=None, description="gives up after this long, like 5m")

    @field_validator("deadline")
    @classmethod
    def _reachable(cls, deadline: int | None, info: ValidationInfo) -> int | None:
        if deadline is not None and deadline <= info.data.get("lasting", 0):
            raise Refusal('a deadline before "for" is over', "give it more time than for, like twice that")
        return deadline


def step_faults(steps: Sequence[StepPart], before: Sequence[StepPart]) -> list[Refusal]:
    """Ids used twice, and placeholders that refer to nothing there is by then."""
    refusals = []
    ids = [step.id for step in before]
    maybe = {step.id: when for step in (*before, *steps) if (when := getattr(step, "when", ""))}
    for number, step in enumerate(steps):
        if step.id in ids:
            refusals.append(Refusal(f'a second step "{step.id}"', "give it another id", (number, "id")))
        filled = {"params": step.params, "idempotency_key": getattr(step, "idempotency_key", "")}
        refusals += [Refusal(fault.found, fault.fix, (number, *fault.at)) for fault in faults(filled, ids)]
        unsure = {name for name in ids if maybe.get(name, "") not in {"", getattr(step, "when", "")}}
        refusals += [
            Refusal(fault.found, fault.fix, (number, *fault.at)) for fault in _unsure(filled, unsure)
        ]
        ids.append(step.id)
        if (undo := getattr(step, "undo", None)) is not None:
            found = faults({"undo": {"params": undo.params}}, ids)
            refusals += [Refusal(fault.found, fault.fix, (number, *fault.at)) for fault in found]
    return refusals


def _unsure(value: Any, steps: AbstractSet[str]) -> Iterator[Refusal]:
    """References to steps that may be left out: found only once something was changed, and too late then."""
    fix = "give this step the same when, or refer to what was diagnosed"
    for at, text in template.texts(value):
        for root in dict.fromkeys(path.partition(".")[0] for path in template.paths(text)):
            if root in steps:
                yield Refusal(f'"{root}" may be left out, by its when', fix, at)


def asked_before_faults(steps: Sequence[RepairPart], before: Sequence[StepPart]) -> list[Refusal]:
    """`when` and `affects` are asked before anything is changed, so they know only what was diagnosed."""
    ids = [each.id for each in before]
    asked = [
        (number, name, getattr(step, name)) for number, step in enumerate(steps) for name in _ASKED_BEFORE
    ]
    return [
        Refusal(fault.found, fault.fix, (number, name))
        for number, name, text in asked
        if text
        for fault in _faults_of(text, ids)
    ]


def _faults_of(text: str, ids: Sequence[str]) -> Sequence[Refusal]:
    try:
        return condition_faults(condition(text), ids)
    except Refusal as refusal:
        return [refusal]
    except Refusals as refusals:
        return refusals.refusals


def build_steps(parts: Sequence[StepPart], spot: Spot, mutating: frozenset[str]) -> tuple[RunbookStep, ...]:
    """`mutating` names the actions that change something."""
    return tuple(_step(part, spot.at(number), mutating) for number, part in enumerate(parts))


def build_verify(part: VerifyPart, spot: Spot, mutating: frozenset[str]) -> Verify:
    return Verify(
        step=_step(part, spot, mutating),
        until=part.until,
        every_ms=part.every,
        for_ms=part.lasting,
        timeout_ms=part.deadline or 2 * part.lasting,
    )


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
        when=repair.when if repair else "",
        affects=repair.affects if repair else "",
        undo=_undo(repair, spot, mutating) if repair and repair.undo else None,
        expires_ms=(repair.expires or 0) if repair else 0,
    )


def _undo(part: RepairPart, spot: Spot, mutating: frozenset[str]) -> RunbookStep | None:
    if part.undo is None:
        return None
    return RunbookStep(
        id=f"{UNDO}{part.id}",
        action=part.undo.action,
        params=part.undo.params,
        timeout_ms=part.undo.timeout,
        mutates=part.undo.action in mutating,
        origin=spot.at("undo").origin,
        attempts=part.undo.attempts,
    )


def _mutates(action: str, info: ValidationInfo) -> bool:
    catalogue = known(info).catalogue
    facts = catalogue.actions.get(action) if catalogue else None
    return facts is not None and facts.mutates
