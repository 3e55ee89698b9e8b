"""One look of a probe: its reading action is carried out, and what it gives is judged."""

from dataclasses import dataclass
from typing import Any

import sentry_sdk
import structlog
from pydantic import ValidationError

from ledger import catalogue
from ledger.clock import now_ms
from routing.automation.findings import brief
from routing.errors import ActionError, TocsinError
from routing.language import expressions
from routing.policy import Policy, Probe
from routing.ports import Step
from routing.probing import Look
from workers import credentials, redaction
from workers.context import Context

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sight:
    """`what` was found in a few words, or why nothing could be seen."""

    look: Look
    what: str
    unset: bool = False
    """The operator has not set what it takes: no reason to call anybody."""


def look(context: Context, policy: Policy, probe: Probe) -> Sight:
    """Whatever happens becomes a sight. What is looked at is ill only where the action itself has seen so."""
    try:
        output = redaction.output(_act(context, policy, probe))
        well = expressions.holds(probe.ok, output if isinstance(output, dict) else {"output": output})
    except ActionError as error:
        unset = isinstance(error, credentials.NoCredentialsError)
        return Sight(Look.BLIND, redaction.text(str(error)), unset)
    except TocsinError as error:
        return Sight(Look.BLIND, f"{probe.ok} cannot be judged: {error}")
    except Exception as error:  # a probe must not die of a fault in an action
        sentry_sdk.capture_exception(error)
        logger.exception("probe failed", probe=probe.name, action=probe.action)
        return Sight(Look.BLIND, redaction.error(error))
    return Sight(Look.WELL if well else Look.ILL, brief(output))


def _act(context: Context, policy: Policy, probe: Probe) -> Any:
    """Raises ActionError."""
    family, _, name = probe.action.partition(".")
    action = catalogue.action(family).ACTIONS[name]
    setting = policy.settings.get(family)
    resolved = credentials.resolve(dict(setting) if isinstance(setting, dict) else {}, context.environ)
    if resolved.missing:
        raise credentials.NoCredentialsError(f"{', '.join(resolved.missing)} not set")
    step = Step(
        settings=credentials.as_text(resolved.values),
        timeout_s=probe.timeout_ms / 1000,
        idempotency_key="",
        now=now_ms(),
    )
    try:
        params = action.params.model_validate(dict(probe.params))
    except ValidationError as error:
        raise TocsinError(f"{probe.action}: {credentials.faults(error)}") from error
    return action.run(step, params)
