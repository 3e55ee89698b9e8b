"""A payment with a test card: whether paying works at all, without anybody's money."""

import re
from dataclasses import replace
from secrets import token_hex
from time import monotonic
from typing import Any, Final

from pydantic import Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.credentials import NoCredentialsError
from workers.stripe.api import Form, Params, Stripe, text

_TEST_KEY: Final = re.compile(r"[sr]k_test_\w+")


class TestPayment(Params):
    """`amount` in the smallest unit of `currency`. `card`: one of Stripe's, docs.stripe.com/testing."""

    amount: int = Field(default=1_000, ge=50, le=99_999_999)
    currency: str = Field(default="pln", pattern=r"^[a-z]{3}$")
    card: str = Field(default="pm_card_visa", pattern=r"^pm_card_\w{1,60}$")


def test_payment(step: Step, params: TestPayment) -> dict[str, Any]:
    """In Stripe's test mode alone. A card that is declined is a result, and no error.

    {"ok", "status", "payment_intent", "ms", "error"}
    """
    began = monotonic()
    form: Form = {
        "amount": str(params.amount),
        "currency": params.currency,
        "payment_method": params.card,
        "payment_method_types[]": ["card"],
        "confirm": "true",
        "description": "Tocsin looks whether paying works",
    }
    made, error = _in_test_mode(step).tried("/v1/payment_intents", form, f"tocsin-trial-{token_hex(16)}"), ""
    if made.get("livemode") is not False:
        raise ActionError("Stripe: the payment was not in test mode", outcome=Outcome.PERMANENT)
    status = text(made, "status")
    if status != "succeeded":
        error = text(made, "declined") or f"the payment is {status or 'in no state'}, not succeeded"
    took_ms = round((monotonic() - began) * 1000)
    return {
        "ok": not error,
        "status": status,
        "payment_intent": text(made, "id"),
        "ms": took_ms,
        "error": error,
    }


def _in_test_mode(step: Step) -> Stripe:
    key = step.settings.get("test_key", "")
    if not key:
        raise NoCredentialsError("no key of Stripe's test mode: set STRIPE_TEST_KEY")
    if not _TEST_KEY.fullmatch(key):
        raise ActionError(
            "Stripe: test_key is no key of the test mode: it must begin with sk_test_ or rk_test_",
            outcome=Outcome.PERMANENT,
        )
    return Stripe(replace(step, settings={**step.settings, "api_key": key}))
