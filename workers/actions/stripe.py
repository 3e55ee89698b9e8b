"""Stripe: what it could not deliver, which payments fail, refunds, disputes, and webhook endpoints set right.

Settings: api_key (a restricted key is enough), base_url, webhook_secret and front_door (for replay_events: what
signs, and our own receiver), secret_file (where the secret of a recreated endpoint is written, readable by its
owner alone), test_key (of the test mode, for test_payment). Without api_key every action is only simulated.
Sources: docs.stripe.com/api (webhook endpoints, events, payment intents, refunds, disputes).
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel

from routing.ports import Action, Step
from workers import front_door
from workers.stripe.api import address
from workers.stripe.endpoints import EnableEndpoint, RecreateEndpoint, enable_endpoint, recreate_endpoint
from workers.stripe.payments import Disputes, Payment, disputes, payment
from workers.stripe.reading import (
    Endpoints,
    Intents,
    Refunds,
    Undelivered,
    endpoints,
    intents,
    refunds,
    undelivered,
)
from workers.stripe.refunding import Refund, refund
from workers.stripe.replaying import ReplayEvents, replay_events
from workers.stripe.trying import TestPayment, test_payment

TITLE = "Stripe"
SETTINGS = ("api_key", "base_url", "webhook_secret", "front_door", "secret_file", "test_key")
SHARED = ("base_url",)


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
    "payment": Action(
        Payment, mutates=False, run=payment, plan=_would("GET", "/v1/payment_intents/{payment_intent}")
    ),
    "disputes": Action(Disputes, mutates=False, run=disputes, plan=_would("GET", "/v1/disputes")),
    "test_payment": Action(
        TestPayment, mutates=False, run=test_payment, plan=_would("POST", "/v1/payment_intents")
    ),
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
