"""One call to a vendor on behalf of an action: what its refusal means, and what to do about it."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import http, redaction
from workers.answer import Answer, Call, HttpError

_MESSAGES = ("message", "detail", "error_description", "error", "hint")


def ask(vendor: str, call: Call, advice: Mapping[int, str]) -> Answer:
    """A 2xx. `advice` by status says what to check. Raises ActionError."""
    try:
        answer = http.call(call)
    except HttpError as error:
        raise ActionError(f"{vendor}: {error}", outcome=error.outcome) from error
    if not answer.ok:
        words = [f"{answer}", _said(answer), advice.get(answer.status, "")]
        raise ActionError(
            f"{vendor}: " + "; ".join(word for word in words if word),
            outcome=answer.outcome,
            retry_after_ms=answer.retry_after_ms,
        )
    return answer


def json_of(vendor: str, answer: Answer) -> Any:
    """Raises ActionError."""
    try:
        return answer.json()
    except HttpError as error:
        raise ActionError(f"{vendor}: {error}", outcome=error.outcome) from error


def object_of(vendor: str, answer: Answer) -> dict[str, Any]:
    """Raises ActionError."""
    try:
        return answer.object()
    except HttpError as error:
        raise ActionError(f"{vendor}: {error}", outcome=error.outcome) from error


def permit(step: Step) -> None:
    """To be asked right before a change. Raises ActionError once automation was stopped."""
    if not step.allowed():
        raise ActionError(
            "the kill switch is on, or the lock on the target was lost", outcome=Outcome.REFUSED
        )


def _said(answer: Answer) -> str:
    """The vendor's own words, wherever it keeps them."""
    found: Any = None
    with suppress(HttpError):
        found = answer.object()
    while isinstance(found, dict):
        found = next((found[name] for name in _MESSAGES if found.get(name)), None)
    return redaction.text(found)[:200] if isinstance(found, str) else ""
