"""One payment with what was given back of it, and the disputes that wait for our answer."""

from collections import Counter
from typing import Any, Final
from urllib.parse import quote

from pydantic import Field

from routing.instant import iso
from routing.ports import Step
from workers.stripe.api import GONE, ID, MOST_SHOWN, PAGE, Params, Stripe, number, since, text

_YEAR_MINUTES: Final = 525_600
_HOUR_MS: Final = 3_600_000
_WAITING: Final = frozenset({"needs_response", "warning_needs_response"})


class Payment(Params):
    payment_intent: str = Field(pattern=ID.format("pi"))


class Disputes(Params):
    """Those made in the last so many `minutes`. `payment_intent` "": of all payments."""

    payment_intent: str = Field(default="", pattern=rf"^$|{ID.format('pi')}")
    minutes: int = Field(default=129_600, ge=1, le=_YEAR_MINUTES)
    most: int = Field(default=500, ge=1, le=5_000)


def payment(step: Step, params: Payment) -> dict[str, Any]:
    """Nothing about who paid.

    {"payment_intent", "status", "amount", "received", "refunded", "left", "refunds": how many gave something back,
    "currency", "at", "charge"}; amounts in the smallest unit of the currency.
    """
    stripe = Stripe(step)
    found = stripe.read(f"/v1/payment_intents/{quote(params.payment_intent, safe='')}")
    made, _ = stripe.listed("/v1/refunds", {"payment_intent": params.payment_intent}, PAGE)
    back = [number(each, "amount") for each in made if text(each, "status") not in GONE]
    received = number(found, "amount_received")
    return {
        "payment_intent": text(found, "id"),
        "status": text(found, "status"),
        "amount": number(found, "amount"),
        "received": received,
        "refunded": sum(back),
        "left": received - sum(back),
        "refunds": len(back),
        "currency": text(found, "currency"),
        "at": iso(number(found, "created") * 1000),
        "charge": text(found, "latest_charge"),
    }


def disputes(step: Step, params: Disputes) -> dict[str, Any]:
    """Those that wait for our answer, whose time runs out first first.

    {"count", "more", "statuses": {status: count} of all, "first_due_at", "disputes": [{id, charge, payment_intent,
    amount, currency, reason, status, at, due_at, hours_left, has_evidence}]}; `due_at` "" and `hours_left` null where
    no answer is taken.
    """
    about = {"payment_intent": params.payment_intent} if params.payment_intent else {}
    found, more = Stripe(step).listed("/v1/disputes", {**since(step, params.minutes), **about}, params.most)
    waiting = [_dispute(each, step.now) for each in found if text(each, "status") in _WAITING]
    waiting.sort(key=lambda each: each["due_at"] or "9")
    return {
        "count": len(waiting),
        "more": more,
        "statuses": dict(Counter(text(each, "status") for each in found)),
        "first_due_at": waiting[0]["due_at"] if waiting else "",
        "disputes": waiting[:MOST_SHOWN],
    }


def _dispute(each: dict[str, Any], now: int) -> dict[str, Any]:
    names = ("id", "charge", "payment_intent", "currency", "reason", "status")
    details = each.get("evidence_details")
    evidence = details if isinstance(details, dict) else {}
    due = number(evidence, "due_by") * 1000
    return {
        **{name: text(each, name) for name in names},
        "amount": number(each, "amount"),
        "at": iso(number(each, "created") * 1000),
        "due_at": iso(due) if due else "",
        "hours_left": (due - now) // _HOUR_MS if due else None,
        "has_evidence": evidence.get("has_evidence") is True,
    }
