"""Stripe: what it could not deliver, which payments fail, refunds, and webhook endpoints set right.

Settings: api_key (a restricted key is enough), base_url, webhook_secret and front_door (for replay_events: what
signs, and our own receiver), secret_file (where the secret of a recreated endpoint is written, readable by its
owner alone). Without api_key every action is only simulated. Sources: docs.stripe.com/api (webhook endpoints,
events, payment intents, refunds).
"""

import os
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.instant import iso
from routing.ports import Action, Step
from workers import front_door
from workers.credentials import NoCredentialsError
from workers.deadline import Deadline
from workers.stripe import ID, PAGE, Stripe, address, idempotency_key, number, stopped, text

TITLE = "Stripe"
SETTINGS = ("api_key", "base_url", "webhook_secret", "front_door", "secret_file")

_MINUTE_MS = 60_000
_MONTH_MINUTES = 43_200
_REMEMBERED_MINUTES = 4_320
_MOST_SHOWN = 50
_MOST_ENDPOINTS = 500
_KEY = "tocsin-step"
"""Name in a refund's metadata that says which step it was made for."""
_GONE = {"failed", "canceled"}


class _Params(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Endpoints(_Params):
    """`url`: only those whose URL contains it."""

    url: str = ""


class Undelivered(_Params):
    """Of the last so many `minutes`; Stripe knows a month. `types` []: of every type."""

    minutes: int = Field(default=1_440, ge=1, le=_MONTH_MINUTES)
    types: list[str] = Field(default=[], max_length=20)
    most: int = Field(default=1_000, ge=1, le=10_000)


class Intents(_Params):
    minutes: int = Field(default=60, ge=1, le=_MONTH_MINUTES)
    most: int = Field(default=1_000, ge=1, le=10_000)


class Refunds(_Params):
    """`payment_intent` "": of all payments, in the last so many `minutes`."""

    payment_intent: str = Field(default="", pattern=rf"^$|{ID.format('pi')}")
    minutes: int = Field(default=1_440, ge=1, le=_MONTH_MINUTES)
    most: int = Field(default=100, ge=1, le=1_000)


class EnableEndpoint(_Params):
    """`enabled: false` takes it back."""

    endpoint: str = Field(pattern=ID.format("we"))
    enabled: bool = True


class RecreateEndpoint(_Params):
    """`old`: what becomes of the endpoint that is replaced."""

    endpoint: str = Field(pattern=ID.format("we"))
    old: Literal["disable", "keep"] = "disable"


class Refund(_Params):
    """`amount` and `most` are in the smallest unit of `currency`; more than `most` is not refunded."""

    payment_intent: str = Field(pattern=ID.format("pi"))
    amount: int = Field(ge=1)
    most: int = Field(ge=1)
    currency: str = Field(pattern=r"^[a-z]{3}$")
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] = "requested_by_customer"


class ReplayEvents(Undelivered):
    """`source`: the name of our source that Stripe posts to.

    No further back than a source remembers ids (`dedup`, 3 days if left out): what is older could come in twice.
    """

    minutes: int = Field(default=1_440, ge=1, le=_REMEMBERED_MINUTES)
    most: int = Field(default=100, ge=1, le=1_000)
    source: str = Field(default="stripe", pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")


def endpoints(step: Step, params: Endpoints) -> dict[str, Any]:
    """{"count", "disabled", "endpoints": [{id, url, status, events, api_version}], "disabled_ids": [...]}."""
    found, _ = Stripe(step).listed("/v1/webhook_endpoints", {}, _MOST_ENDPOINTS)
    shown = [_endpoint(each) for each in found if params.url in text(each, "url")]
    disabled = [each["id"] for each in shown if each["status"] != "enabled"]
    return {
        "count": len(shown),
        "disabled": len(disabled),
        "disabled_ids": disabled,
        "endpoints": shown[:_MOST_SHOWN],
    }


def undelivered(step: Step, params: Undelivered) -> dict[str, Any]:
    """Events that at least one endpoint has not taken.

    {"count", "more": whether there are beyond `most`, "oldest_at", "types": {type: count}, "events": [{id, type,
    at, pending}]}
    """
    found, more = _undelivered(Stripe(step), step, params)
    return {
        "count": len(found),
        "more": more,
        "oldest_at": iso(number(found[-1], "created") * 1000) if found else "",
        "types": dict(Counter(text(each, "type") for each in found).most_common(_MOST_SHOWN)),
        "events": [_event(each) for each in found[:_MOST_SHOWN]],
    }


def intents(step: Step, params: Intents) -> dict[str, Any]:
    """How many payments went wrong, of those that were tried; nothing about who paid.

    {"count", "more", "succeeded", "failed", "failure_percent", "statuses": {status: count}, "declines":
    {decline code: count}}; `failure_percent` is of succeeded and failed, 0 when there were none.
    """
    found, more = Stripe(step).listed("/v1/payment_intents", _since(step, params.minutes), params.most)
    errors = [each["last_payment_error"] for each in found if _has_failed(each)]
    succeeded = sum(text(each, "status") == "succeeded" for each in found)
    judged = succeeded + len(errors)
    declines = Counter(text(each, "decline_code") or text(each, "code") or "unknown" for each in errors)
    return {
        "count": len(found),
        "more": more,
        "succeeded": succeeded,
        "failed": len(errors),
        "failure_percent": round(100 * len(errors) / judged, 1) if judged else 0,
        "statuses": dict(Counter(text(each, "status") for each in found)),
        "declines": dict(declines.most_common(_MOST_SHOWN)),
    }


def refunds(step: Step, params: Refunds) -> dict[str, Any]:
    """{"count", "more", "totals": {currency: amount}, "refunds": [{id, payment_intent, amount, currency, status,
    reason, at}]}; what failed or was cancelled is in no total.
    """
    only = (
        {"payment_intent": params.payment_intent} if params.payment_intent else _since(step, params.minutes)
    )
    found, more = Stripe(step).listed("/v1/refunds", only, params.most)
    totals: Counter[str] = Counter()
    for each in found:
        totals[text(each, "currency")] += number(each, "amount") * (text(each, "status") not in _GONE)
    return {
        "count": len(found),
        "more": more,
        "totals": dict(totals),
        "refunds": [_refund(each) for each in found[:_MOST_SHOWN]],
    }


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


def refund(step: Step, params: Refund) -> dict[str, Any]:
    """Give money back, at most once for a step. Not more than `most`, and than is left of the payment.

    {"refund": id, "status", "amount", "currency", "affects"}; status pending is Stripe's promise, not yet money.
    """
    if params.amount > params.most:
        raise ActionError(
            f"{params.amount} {params.currency} is more than the {params.most} this step may refund; a person does",
            outcome=Outcome.REFUSED,
        )
    stripe = Stripe(step)
    key = idempotency_key(step, "refund", params.payment_intent, params.amount, params.currency)
    made, _ = stripe.listed("/v1/refunds", {"payment_intent": params.payment_intent}, PAGE)
    mine = next((each for each in made if (each.get("metadata") or {}).get(_KEY) == key), None)
    if mine is None:
        _refundable(stripe.read(f"/v1/payment_intents/{quote(params.payment_intent, safe='')}"), made, params)
        form = {
            "payment_intent": params.payment_intent,
            "amount": str(params.amount),
            "reason": params.reason,
            f"metadata[{_KEY}]": key,
        }
        mine = stripe.change("/v1/refunds", form, key)
        return _given_back(mine, affects=1)
    return {**_given_back(mine, affects=0), "already": True}


def replay_events(step: Step, params: ReplayEvents) -> dict[str, Any]:
    """Take in what Stripe could not deliver, oldest first, through our own front door, which knows each by its id.

    {"undelivered", "more", "accepted", "dead", "refused", "affects"}. Raises ActionError when the receiver
    takes nothing; what was posted by then is not taken in again.
    """
    deadline = Deadline(step.timeout_s)
    found, more = _undelivered(Stripe(step), step, params)
    count = front_door.Count()
    for number_, event in enumerate(reversed(found)):
        if not step.allowed():
            raise stopped()
        try:
            front_door.post(step, params.source, event, deadline.left(), count)
        except NoCredentialsError:
            raise
        except (ActionError, TimeoutError) as error:
            wait = error.retry_after_ms if isinstance(error, ActionError) else 0
            outcome = error.outcome if isinstance(error, ActionError) else Outcome.TEMPORARY
            said = f"{number_} of {len(found)} events were posted; {error}"
            raise ActionError(said, outcome=outcome, retry_after_ms=wait) from error
    return {
        "undelivered": len(found),
        "more": more,
        "accepted": count.accepted,
        "dead": count.dead,
        "refused": count.refused,
        "affects": len(found),
    }


def _undelivered(stripe: Stripe, step: Step, params: Undelivered) -> tuple[list[dict[str, Any]], bool]:
    query: dict[str, str | list[str]] = {"delivery_success": "false", **_since(step, params.minutes)}
    if params.types:
        query["types[]"] = params.types
    return stripe.listed("/v1/events", query, params.most)


def _since(step: Step, minutes: int) -> dict[str, str | list[str]]:
    return {"created[gte]": str((step.now - minutes * _MINUTE_MS) // 1000)}


def _has_failed(intent: dict[str, Any]) -> bool:
    """The last attempt did; a payment that succeeded afterwards has no error any more."""
    return isinstance(intent.get("last_payment_error"), dict) and text(intent, "status") != "succeeded"


def _refundable(intent: dict[str, Any], made: list[dict[str, Any]], params: Refund) -> None:
    """Raises ActionError."""
    back = sum(number(each, "amount") for each in made if text(each, "status") not in _GONE)
    left = number(intent, "amount_received") - back
    ailment = ""
    if text(intent, "status") != "succeeded":
        ailment = f"the payment is {text(intent, 'status')}, not succeeded"
    elif text(intent, "currency") != params.currency:
        ailment = f"the payment is in {text(intent, 'currency')}, not {params.currency}"
    elif params.amount > left:
        ailment = f"{left} {params.currency} are left of the payment, less than {params.amount}"
    if ailment:
        raise ActionError(f"Stripe: {params.payment_intent}: {ailment}", outcome=Outcome.PERMANENT)


def _given_back(made: dict[str, Any], affects: int) -> dict[str, Any]:
    status = text(made, "status")
    if status in _GONE:
        why = text(made, "failure_reason") or "no reason given"
        raise ActionError(
            f"Stripe: the refund {text(made, 'id')} {status}: {why}; the customer has to be paid another way",
            outcome=Outcome.PERMANENT,
        )
    return {
        "refund": text(made, "id"),
        "status": status,
        "amount": number(made, "amount"),
        "currency": text(made, "currency"),
        "affects": affects,
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


def _endpoint(each: dict[str, Any]) -> dict[str, Any]:
    events = each.get("enabled_events")
    shown = {name: text(each, name) for name in ("id", "url", "status", "api_version")}
    return {**shown, "events": events[:_MOST_SHOWN] if isinstance(events, list) else []}


def _event(each: dict[str, Any]) -> dict[str, Any]:
    at = iso(number(each, "created") * 1000)
    return {
        "id": text(each, "id"),
        "type": text(each, "type"),
        "at": at,
        "pending": number(each, "pending_webhooks"),
    }


def _refund(each: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "payment_intent", "currency", "status", "reason")
    shown = {name: text(each, name) for name in names}
    return {**shown, "amount": number(each, "amount"), "at": iso(number(each, "created") * 1000)}


def _would(method: str, path: str) -> Callable[[Step, Any], dict[str, Any]]:
    """`path` may have names of parameters in braces."""

    def plan(step: Step, params: BaseModel) -> dict[str, Any]:
        filled = path.format(
            **{name: quote(str(value), safe="") for name, value in params.model_dump().items()}
        )
        return {"would": {"method": method, "url": address(step, filled)}}

    return plan


def _plan_replay(step: Step, params: ReplayEvents) -> dict[str, Any]:
    return {"would": {"method": "POST", "url": front_door.address(step, params.source), "most": params.most}}


ACTIONS = {
    "endpoints": Action(Endpoints, mutates=False, run=endpoints, plan=_would("GET", "/v1/webhook_endpoints")),
    "undelivered": Action(
        Undelivered, mutates=False, run=undelivered, plan=_would("GET", "/v1/events?delivery_success=false")
    ),
    "intents": Action(Intents, mutates=False, run=intents, plan=_would("GET", "/v1/payment_intents")),
    "refunds": Action(Refunds, mutates=False, run=refunds, plan=_would("GET", "/v1/refunds")),
    "enable_endpoint": Action(
        EnableEndpoint,
        mutates=True,
        run=enable_endpoint,
        undo="stripe.enable_endpoint",
        plan=_would("POST", "/v1/webhook_endpoints/{endpoint}"),
    ),
    "recreate_endpoint": Action(
        RecreateEndpoint,
        mutates=True,
        run=recreate_endpoint,
        undo="irreversible",
        plan=_would("POST", "/v1/webhook_endpoints"),
    ),
    "refund": Action(
        Refund, mutates=True, run=refund, undo="irreversible", plan=_would("POST", "/v1/refunds")
    ),
    "replay_events": Action(
        ReplayEvents, mutates=True, run=replay_events, undo="irreversible", plan=_plan_replay
    ),
}
