"""One runbook step: claimed, guarded once more at the last instant, carried out, its result put into the log."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import redis
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
from workers.credentials import NoCredentialsError
from workers.deadline import Deadline
from workers.journal import journal
from workers.report import count, report
from workers.text import cut

MARGIN_MS = 5_000
"""Beyond the step's own timeout: time to connect, to answer and to write the answer down."""
LOCK_MARGIN_MS = 60_000
"""A lock outlives its step's timeout by this much, so that a slow answer still finds it held."""
MAX_REQUEST = 500
MAX_PARAMS = 10_000
"""Bytes of what a step was done with, as they are kept."""

logger = structlog.get_logger(__name__)


class StaleError(ActionError):
    """Another run may have changed the target since this one looked at it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, outcome=Outcome.REFUSED)


def carry_out(context: Context, effect_id: str, attempt: int) -> None:
    """Do the step, unless somebody else does or it is no longer wanted."""
    faults.reach("remediate.taken", effect_id)
    pending = outbox.find(context.client, context.keys, effect_id)
    if pending is None or not isinstance(pending.effect, effects.Step):
        return
    timeout = pending.effect.timeout_ms + MARGIN_MS
    claimed = outbox.claim(
        context.client, context.keys, effect_id, attempt, context.worker, timeout, now_ms()
    )
    if not isinstance(claimed, effects.Step):
        return
    faults.reach("remediate.claimed", claimed.action, claimed.id)
    with journal() as calls:
        done = _do(context, claimed, calls)
    faults.reach("remediate.answered", claimed.action, claimed.id)
    report(context, done)
    faults.reach("remediate.reported", claimed.id)
    planned = isinstance(done.output, dict) and done.output.get("dry_run")
    outcome = "dry_run" if planned else done.outcome
    count(context, "tocsin_steps_total", action=claimed.action, outcome=outcome)


def _do(context: Context, effect: effects.Step, calls: list[str]) -> StepDone:
    """Whatever happens becomes a result: the fold decides what is done about it."""
    outcome, output, error, wait, stale = Outcome.OK, None, "", 0, False
    try:
        output = redaction.output(_act(context, context.policy(), effect))
    except ActionError as failure:
        outcome, error, wait = failure.outcome, str(failure), failure.retry_after_ms
        stale = isinstance(failure, StaleError)
    except Exception as failure:  # a step must not die of a fault in an action
        sentry_sdk.capture_exception(failure)
        logger.exception("action failed", action=effect.action, effect=effect.id)
        unsure = effect.mutates and any(not call.startswith(("GET ", "SELECT ")) for call in calls)
        outcome, error = Outcome.UNKNOWN if unsure else Outcome.TEMPORARY, redaction.error(failure)
    return StepDone(
        at=now_ms(),
        by=context.worker,
        run=effect.run,
        step=effect.step,
        attempt=effect.attempt,
        outcome=outcome,
        output=output,
        error=redaction.text(error),
        request=cut(redaction.text("; ".join(calls)), MAX_REQUEST),
        params=redaction.output(effect.params, MAX_PARAMS),
        retry_after_ms=wait,
        stale=stale,
    )


def _act(context: Context, policy: Policy, effect: effects.Step) -> dict[str, Any]:
    family, _, name = effect.action.partition(".")
    try:
        action = catalogue.action(family).ACTIONS[name]
    except KeyError:
        raise ActionError(f"there is no action {effect.action}", outcome=Outcome.PERMANENT) from None
    resolved = credentials.resolve(_settings(policy.settings.get(family)), context.environ)
    step = Step(
        settings=credentials.as_text(resolved.values),
        timeout_s=effect.timeout_ms / 1000,
        idempotency_key=effect.idempotency_key,
        now=now_ms(),
        left=Deadline(effect.timeout_ms / 1000).rest,
    )
    if resolved.missing:
        return plan(action, step, effect, f"{', '.join(resolved.missing)} not set")
    if effect.dry_run and (effect.mutates or action.mutates):
        return plan(action, step, effect, "dry run")
    try:
        params = params_of(action, effect)
        return _change(context, policy, effect, action, step) if action.mutates else action.run(step, params)
    except NoCredentialsError as error:
        return plan(action, step, effect, str(error))


def plan(action: Action, step: Step, effect: effects.Step, why: str) -> dict[str, Any]:
    """A dry run, or no credentials: say what would be done, and that it was not."""
    planned: dict[str, Any] = {"would": {"action": effect.action, "params": effect.params}}
    if action.plan is not None:
        # What it would act on may not be known without the steps before it, which were not made.
        with suppress(ActionError):
            planned = action.plan(step, params_of(action, effect))
    return {**planned, "dry_run": True, "why": why}


def params_of(action: Action, effect: effects.Step) -> Any:
    """What the step gives the action. Raises ActionError where it does not fit."""
    try:
        return action.params.model_validate(effect.params)
    except ValidationError as error:
        found = credentials.faults(error)
        raise ActionError(f"{effect.action}: {found}", outcome=Outcome.PERMANENT) from error


def _change(
    context: Context, policy: Policy, effect: effects.Step, action: Action, step: Step
) -> dict[str, Any]:
    """Lock the target, see that nobody else had it since the run looked at it, look at the kill switch, act.

    The lock is given back at once, but for an outcome that nobody knows: then it is held until it runs out.
    Between a change and its verification the target is the cooldown's to guard, not the lock's.
    """
    client, keys, target = context.client, context.keys, effect.lock or effect.action
    params = params_of(action, effect)
    if switches.killed(client, keys):
        raise ActionError("the kill switch is on", outcome=Outcome.REFUSED)
    ttl = effect.timeout_ms + LOCK_MARGIN_MS
    taken = locks.take(client, keys, target, effect.run, ttl, policy.max_running, effect.looked_at)
    if isinstance(taken, locks.Busy):
        raise StaleError(taken.reason) if taken.stale else ActionError(taken.reason, outcome=Outcome.REFUSED)
    known = False
    try:
        found = action.run(replace(step, allowed=partial(_allowed, context, target, taken.token)), params)
        known = True
    except ActionError as error:
        known = error.outcome is not Outcome.UNKNOWN
        raise
    finally:
        if known:
            with suppress(redis.RedisError):  # it runs out by itself; the result matters more
                locks.give_back(client, keys, target, effect.run, taken.token)
    return found


def _allowed(context: Context, target: str, token: int) -> bool:
    """Asked right before each mutating call."""
    return locks.may_change(context.client, context.keys, target, token)


def _settings(found: Setting) -> dict[str, Setting]:
    return dict(found) if isinstance(found, dict) else {}
