"""The shipped configuration without a single credential: steps say what they would do, and ask nobody."""

from typing import Any

import pytest
import shipped
from redis import Redis
from workshop import Bench, bench, rollback

from ledger import catalogue
from routing.entry import Outcome
from workers import remediate

ACTIONS: dict[str, dict[str, Any]] = {
    "app_admin.block_ip": {"ip": "8.8.8.8"},
    "app_admin.unblock_ip": {"ip": "8.8.8.8"},
    "app_admin.reset_sessions": {"everyone": True},
    "app_admin.notify_customers": {"users": ["u1"], "subject": "s", "message": "m"},
    "booksy.status": {},
    "booksy.sync": {},
    "booksy.refresh_auth": {},
    "booksy.reset_sync": {},
    "command.read": {"program": "anything"},
    "command.run": {"program": "anything", "arguments": ["--all"]},
    "email_probe.send": {},
    "google_analytics.validate": {},
    "google_analytics.realtime": {},
    "pagespeed.audit": {},
    "sentry.issues": {},
    "stripe.endpoints": {},
    "stripe.undelivered": {},
    "stripe.intents": {},
    "stripe.refunds": {},
    "stripe.payment": {"payment_intent": "pi_1"},
    "stripe.disputes": {},
    "stripe.enable_endpoint": {"endpoint": "we_1"},
    "stripe.recreate_endpoint": {"endpoint": "we_1"},
    "stripe.refund": {"payment_intent": "pi_1", "amount": 1, "most": 1, "currency": "pln"},
    "stripe.replay_events": {},
    "vercel.rollback": {"project": "prj_1", "to": "dpl_1"},
}


@pytest.fixture
def at(redis: Redis) -> Bench:
    return bench(redis, actions=shipped.policy().settings)


@pytest.mark.parametrize("action", ACTIONS)
def test_without_credentials_a_step_says_what_it_would_do(at: Bench, action: str) -> None:
    family, _, name = action.partition(".")
    mutates = catalogue.action(family).ACTIONS[name].mutates
    effect = at.put(rollback(action=action, params=ACTIONS[action], mutates=mutates))
    remediate.carry_out(at, effect.id, effect.attempt)
    done = at.done()
    assert (done.outcome, done.request) == (Outcome.OK, "")
    assert done.output["dry_run"]
    assert done.output["would"]
    assert "set" in done.output["why"] or "name them" in done.output["why"]
