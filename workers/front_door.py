"""Our own receiver, as a vendor sees it: what Stripe could not deliver is posted as Stripe would have.

It is signed and verified like anything from outside, kept before it is answered, and known by its id, so that
what had arrived after all is not taken in twice. Source: docs.stripe.com/webhooks (signatures, made by hand here:
the stripe package takes a third of the time that a command needs to start).
"""

import hmac
from dataclasses import dataclass
from typing import Any, Final

import orjson

from ledger.clock import now_ms
from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import http
from workers.answer import Call, HttpError
from workers.credentials import NoCredentialsError

DEFAULT: Final = "http://127.0.0.1:8080"


@dataclass(slots=True)
class Count:
    """`accepted` as events, `dead` as dead letters, `refused` not at all."""

    accepted: int = 0
    dead: int = 0
    refused: int = 0


def post(step: Step, source: str, event: dict[str, Any], timeout_s: float, count: Count) -> None:
    """One of Stripe's events, counted. Raises ActionError when the receiver takes nothing at the moment."""
    secret = step.settings.get("webhook_secret", "")
    if not secret:
        raise NoCredentialsError("events cannot be signed: set STRIPE_WEBHOOK_SECRET")
    body = orjson.dumps(event)
    at = now_ms() // 1000  # the receiver looks at its clock, which a rehearsal moves along with ours
    signature = hmac.new(secret.encode(), b"%d.%b" % (at, body), "sha256").hexdigest()
    call = Call(
        method="POST",
        url=address(step, source),
        mutates=True,
        timeout_s=timeout_s,
        content=body,
        headers={
            "content-type": "application/json; charset=utf-8",
            "stripe-signature": f"t={at},v1={signature}",
        },
    )
    try:
        answer = http.call(call)
        if answer.ok:
            said = answer.object()
            count.accepted += len(said.get("accepted", ()))
            count.dead += len(said.get("dead", ()))
            return
    except HttpError as error:  # posting it again is harmless, so nothing of this is unknown
        raise ActionError(f"our own receiver: {error}", outcome=Outcome.TEMPORARY) from error
    if answer.outcome is not Outcome.PERMANENT:
        raise ActionError(
            f"our own receiver: {answer}", outcome=Outcome.TEMPORARY, retry_after_ms=answer.retry_after_ms
        )
    if answer.status in {401, 404}:
        raise ActionError(f"our own receiver: {answer}; {_FIX[answer.status]}", outcome=Outcome.PERMANENT)
    count.refused += 1


_FIX: Final = {
    401: "STRIPE_WEBHOOK_SECRET is not the one that the source stripe verifies with",
    404: "check front_door and source of stripe in config/actions.yaml",
}


def address(step: Step, source: str) -> str:
    return (step.settings.get("front_door") or DEFAULT).rstrip("/") + f"/hooks/{source}"
