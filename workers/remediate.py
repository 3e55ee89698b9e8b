"""One runbook step: claimed, guarded once more at the last instant, carried out, its result put into the log."""

from contextlib import suppress
from typing import Any

import sentry_sdk
import structlog
from pydantic import ValidationError

from ledger import catalogue, faults, locks, outbox, switches
from ledger.clock import now_ms
from routing import effect as effects
from routing.entry import Outcome, StepDone
from routing.errors import ActionError
from routing.policy import Policy, Setting
from routing.ports import Action, Step
from workers import credentials, redaction
from workers.context import Context
from workers.report import report

MARGIN_MS = 5_000
LOCK_MARGIN_MS = 60_000
"""A lock outlives its step's timeout by this much, so that a slow answer still finds it held."""

logger = structlog.get_logger(__name__)


def carry_out(context: Context, effect_id: str, attempt: int) -> None:
    """Do the step, unless somebody else does or it is no longer wanted."""
    pending = outbox.find(context.client, context.keys, effect_id)
    if pending is None or not isinstance(pending.effect, effects.Step):
        return
    timeout = pending.effect.timeout_ms + MARGIN_MS
    claimed = outbox.claim(
        context.client, context.keys, effect_id, attempt, context.worker, timeout, now_ms()
    )
    if not isinstance(claimed, effects.Step):
        return
    faults.reach("remediate.claimed")
    done = _do(context, context.policy(), claimed)
    faults.reach("remediate.answered")
    report(context, done)


def _do(context: Context, policy: Policy, effect: effects.Step) -> StepDone:
    """Whatever happens becomes a result: the fold decides what is done about it."""
    try:
        return _done(effect, Outcome.OK, output=_act(context, policy, effect))
    except ActionError as error:
        return _done(
            effect,
            error.outcome,
            error=str(error),
            request=error.request,
            retry_after_ms=error.retry_after_ms,
        )
    except Exception as error:  # a step must not die of a fault in an action
        sentry_sdk.capture_exception(error)
        logger.exception("action failed", action=effect.action, effect=effect.id)
        outcome = Outcome.UNKNOWN if effect.mutates else Outcome.TEMPORARY
        return _done(effect, outcome, error=redaction.error(error))


def _act(context: Context, policy: Policy, effect: effects.Step) -> dict[str, Any]:
    family, _, name = effect.action.partition(".")
    try:
        action = catalogue.action(family).ACTIONS[name]
    except KeyError:
        raise ActionError(f"there is no action {effect.action}", outcome=Outcome.PERMANENT) from None
    settings = policy.settings.get(family)
    resolved = credentials.resolve(_settings(settings), context.environ)
    step = Step(
        settings=credentials.as_text(resolved.values),
        timeout_s=effect.timeout_ms / 1000,
        idempotency_key=effect.idempotency_key,
        now=now_ms(),
        allowed=lambda: not switches.killed(context.client, context.keys),
    )
    dry = effect.dry_run and effect.mutates
    if dry or resolved.missing:
        return _plan(action, step, effect, resolved.missing)
    params = _params(action, effect)
    if not effect.mutates:
        return action.run(step, params)
    return _changing(context, policy, effect, lambda: action.run(step, params))


def _plan(action: Action, step: Step, effect: effects.Step, missing: tuple[str, ...]) -> dict[str, Any]:
    """A dry run, or no credentials: say what would be done, and that it was not."""
    why = f"{', '.join(missing)} not set" if missing else "dry run"
    planned: dict[str, Any] = {"would": {"action": effect.action, "params": effect.params}}
    if action.plan is not None:
        # What it would act on may not be known without the steps before it, which were not made.
        with suppress(ActionError):
            planned = action.plan(step, _params(action, effect))
    return {**planned, "dry_run": True, "why": why}


def _params(action: Action, effect: effects.Step) -> Any:
    try:
        return action.params.model_validate(effect.params)
    except ValidationError as error:
        found = credentials.faults(error)
        raise ActionError(f"{effect.action}: {found}", outcome=Outcome.PERMANENT) from error


def _changing(context: Context, policy: Policy, effect: effects.Step, act: Any) -> dict[str, Any]:
    """Lock the target, look at the kill switch, act; an unknown outcome keeps the lock until it runs out."""
    ttl = effect.timeout_ms + LOCK_MARGIN_MS
    taken = locks.take(context.client, context.keys, effect.lock, effect.run, ttl, policy.max_running)
    if isinstance(taken, locks.Busy):
        raise ActionError(taken.reason, outcome=Outcome.REFUSED)
    free = True
    try:
        if switches.killed(context.client, context.keys):
            raise ActionError("the kill switch is on", outcome=Outcome.REFUSED)
        if not locks.still_mine(context.client, context.keys, effect.lock, taken.token):
            raise ActionError(f"the lock on {effect.lock} was lost", outcome=Outcome.REFUSED)
        found: dict[str, Any] = act()
    except ActionError as error:
        free = error.outcome is not Outcome.UNKNOWN
        raise
    finally:
        if free:
            locks.give_back(context.client, context.keys, effect.lock, effect.run, taken.token)
    return found


def _settings(found: Setting) -> dict[str, Setting]:
    return dict(found) if isinstance(found, dict) else {}


def _done(
    effect: effects.Step,
    outcome: Outcome,
    *,
    output: dict[str, Any] | None = None,
    error: str = "",
    request: str = "",
    retry_after_ms: int = 0,
) -> StepDone:
    return StepDone(
        at=now_ms(),
        run=effect.run,
        step=effect.step,
        attempt=effect.attempt,
        outcome=outcome,
        output=redaction.output(output),
        error=redaction.text(error),
        request=request,
        retry_after_ms=retry_after_ms,
    )
