"""Money given back: at most once for a step, not more than it may, and seen to have been given."""

from typing import Any, Final, Literal
from urllib.parse import quote

from pydantic import Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.stripe.api import GONE, ID, PAGE, Params, Stripe, idempotency_key, number, text

_KEY: Final = "tocsin-step"
"""Name in a refund's metadata that says which step it was made for."""


class Refund(Params):
    """`amount` and `most` are in the smallest unit of `currency`; more than `most` is not refunded."""

    payment_intent: str = Field(pattern=ID.format("pi"))
    amount: int = Field(ge=1)
    most: int = Field(ge=1)
    currency: str = Field(pattern=r"^[a-z]{3}$")
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] = "requested_by_customer"


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


def _refundable(intent: dict[str, Any], made: list[dict[str, Any]], params: Refund) -> None:
    """Raises ActionError."""
    back = sum(number(each, "amount") for each in made if text(each, "status") not in GONE)
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
    if status in GONE:
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
