"""What Stripe says: endpoints, what it could not deliver, how payments fare, what was given back."""

from collections import Counter
from typing import Any, Final

from pydantic import Field

from routing.instant import iso
from routing.ports import Step
from workers.stripe.api import GONE, ID, MONTH_MINUTES, MOST_SHOWN, Params, Stripe, number, since, text

_MOST_ENDPOINTS: Final = 500


class Endpoints(Params):
    """`url`: only those whose URL contains it."""

    url: str = ""


class Undelivered(Params):
    """Of the last so many `minutes`; Stripe knows a month. `types` []: of every type."""

    minutes: int = Field(default=1_440, ge=1, le=MONTH_MINUTES)
    types: list[str] = Field(default=[], max_length=20)
    most: int = Field(default=1_000, ge=1, le=10_000)


class Intents(Params):
    minutes: int = Field(default=60, ge=1, le=MONTH_MINUTES)
    most: int = Field(default=1_000, ge=1, le=10_000)


class Refunds(Params):
    """`payment_intent` "": of all payments, in the last so many `minutes`."""

    payment_intent: str = Field(default="", pattern=rf"^$|{ID.format('pi')}")
    minutes: int = Field(default=1_440, ge=1, le=MONTH_MINUTES)
    most: int = Field(default=100, ge=1, le=1_000)


def endpoints(step: Step, params: Endpoints) -> dict[str, Any]:
    """{"count", "disabled", "endpoints": [{id, url, status, events, api_version}], "disabled_ids": [...]}."""
    found, _ = Stripe(step).listed("/v1/webhook_endpoints", {}, _MOST_ENDPOINTS)
    shown = [_endpoint(each) for each in found if params.url in text(each, "url")]
    disabled = [each["id"] for each in shown if each["status"] != "enabled"]
    return {
        "count": len(shown),
        "disabled": len(disabled),
        "disabled_ids": disabled,
        "endpoints": shown[:MOST_SHOWN],
    }


def undelivered(step: Step, params: Undelivered) -> dict[str, Any]:
    """Events that at least one endpoint has not taken.

    {"count", "more": whether there are beyond `most`, "oldest_at", "types": {type: count}, "events": [{id, type,
    at, pending}]}
    """
    found, more = find_undelivered(Stripe(step), step, params)
    return {
        "count": len(found),
        "more": more,
        "oldest_at": iso(number(found[-1], "created") * 1000) if found else "",
        "types": dict(Counter(text(each, "type") for each in found).most_common(MOST_SHOWN)),
        "events": [_event(each) for each in found[:MOST_SHOWN]],
    }


def intents(step: Step, params: Intents) -> dict[str, Any]:
    """How many payments went wrong, of those that were tried; nothing about who paid.

    {"count", "more", "succeeded", "failed", "failure_percent", "statuses": {status: count}, "declines":
    {decline code: count}}; `failure_percent` is of succeeded and failed, 0 when there were none.
    """
    found, more = Stripe(step).listed("/v1/payment_intents", since(step, params.minutes), params.most)
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
        "declines": dict(declines.most_common(MOST_SHOWN)),
    }


def refunds(step: Step, params: Refunds) -> dict[str, Any]:
    """{"count", "more", "totals": {currency: amount}, "refunds": [{id, payment_intent, amount, currency, status,
    reason, at}]}; what failed or was cancelled is in no total.
    """
    only = {"payment_intent": params.payment_intent} if params.payment_intent else since(step, params.minutes)
    found, more = Stripe(step).listed("/v1/refunds", only, params.most)
    totals: Counter[str] = Counter()
    for each in found:
        totals[text(each, "currency")] += number(each, "amount") * (text(each, "status") not in GONE)
    return {
        "count": len(found),
        "more": more,
        "totals": dict(totals),
        "refunds": [_refund(each) for each in found[:MOST_SHOWN]],
    }


def find_undelivered(stripe: Stripe, step: Step, params: Undelivered) -> tuple[list[dict[str, Any]], bool]:
    query: dict[str, str | list[str]] = {"delivery_success": "false", **since(step, params.minutes)}
    if params.types:
        query["types[]"] = params.types
    return stripe.listed("/v1/events", query, params.most)


def _has_failed(intent: dict[str, Any]) -> bool:
    """The last attempt did; a payment that succeeded afterwards has no error any more."""
    return isinstance(intent.get("last_payment_error"), dict) and text(intent, "status") != "succeeded"


def _endpoint(each: dict[str, Any]) -> dict[str, Any]:
    events = each.get("enabled_events")
    shown = {name: text(each, name) for name in ("id", "url", "status", "api_version")}
    return {**shown, "events": events[:MOST_SHOWN] if isinstance(events, list) else []}


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
