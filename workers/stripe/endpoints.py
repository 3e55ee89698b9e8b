"""Webhook endpoints set right: enabled again, or made anew."""

import os
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.stripe.api import ID, Params, Stripe, idempotency_key, text


class EnableEndpoint(Params):
    """`enabled: false` takes it back."""

    endpoint: str = Field(pattern=ID.format("we"))
    enabled: bool = True


class RecreateEndpoint(Params):
    """`old`: what becomes of the endpoint that is replaced."""

    endpoint: str = Field(pattern=ID.format("we"))
    old: Literal["disable", "keep"] = "disable"


def enable_endpoint(step: Step, params: EnableEndpoint) -> dict[str, Any]:
    """Have Stripe deliver to it again. The state is read first: what is so already is a success."""
    stripe, path = Stripe(step), f"/v1/webhook_endpoints/{quote(params.endpoint, safe='')}"
    wanted = "enabled" if params.enabled else "disabled"
    if text(stripe.read(path), "status") == wanted:
        return {"already": True, "endpoint": params.endpoint, "status": wanted, "affects": 0}
    # No key of the step's: between a repeat and its first the endpoint may have been switched, and a kept answer
    # would hide that. Setting the same twice is harmless.
    found = stripe.change(path, {"disabled": str(not params.enabled).lower()}, "")
    if text(found, "status") != wanted:
        raise ActionError(
            f"Stripe: the endpoint is still {text(found, 'status')}; look at it in the Dashboard",
            outcome=Outcome.PERMANENT,
        )
    return {"endpoint": params.endpoint, "status": wanted, "affects": 1}


def recreate_endpoint(step: Step, params: RecreateEndpoint) -> dict[str, Any]:
    """A new endpoint like the old one, with a new secret, which Stripe says this once.

    It is written to `secret_file`, or dropped: the Dashboard reveals it; `where` says which. Until whoever listens
    there has it, deliveries are refused. The old endpoint is never deleted.

    {"endpoint": the new one's id, "replaces", "old", "where", "affects"}
    """
    stripe = Stripe(step)
    old = stripe.read(f"/v1/webhook_endpoints/{quote(params.endpoint, safe='')}")
    form: dict[str, str | list[str]] = {
        "url": text(old, "url"),
        "enabled_events[]": [str(each) for each in old.get("enabled_events") or []],
    }
    for name in ("api_version", "description"):
        if text(old, name):
            form[name] = text(old, name)
    made = stripe.change("/v1/webhook_endpoints", form, idempotency_key(step, "recreate", params.endpoint))
    new = text(made, "id")
    where = _hand_over(step, new, text(made, "secret"))
    if params.old == "disable" and new != params.endpoint:
        stripe.change(f"/v1/webhook_endpoints/{quote(params.endpoint, safe='')}", {"disabled": "true"}, "")
    return {
        "endpoint": new,
        "replaces": params.endpoint,
        "old": params.old,
        "where": where,
        "affects": 1,
    }


def _hand_over(step: Step, endpoint: str, secret: str) -> str:
    """Where the operator finds it. It is in no output, log or error of ours."""
    file = step.settings.get("secret_file", "")
    if not file or not secret:
        return f"in the Dashboard: Webhooks, {endpoint}, Reveal"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            os.fchmod(descriptor, 0o600)
            opened.write(secret + "\n")
    except OSError as error:
        return f"in the Dashboard: Webhooks, {endpoint}, Reveal; {file} cannot be written: {error.strerror}"
    return f"in {file}"
