"""Stripe's actions against a stand-in that holds state, and events replayed through our own receiver."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from reception import HERE, SECRETS, Reception, running
from redis import Redis
from stripe_standin import KEY, StripeStandin
from vendor_server import Misbehaviour, VendorServer

from ledger.clock import now_ms
from routing.entry import Outcome
from routing.errors import ActionError
from routing.policy import Source
from routing.ports import Step
from workers.actions import stripe
from workers.credentials import NoCredentialsError
from workers.journal import journal
from workers.stripe import endpoints, replaying

SECRET = SECRETS["STRIPE_WEBHOOK_SECRET"]


@pytest.fixture
def standin() -> Iterator[StripeStandin]:
    with StripeStandin() as server:
        yield server


@pytest.fixture
def reception(redis: Redis, redis_url: str) -> Iterator[Reception]:
    with running(redis, redis_url) as receiver:
        yield receiver


def step(standin: StripeStandin, timeout_s: float = 5.0, **changes: Any) -> Step:
    fields = {"settings": standin.settings(), "idempotency_key": "", "now": now_ms(), **changes}
    return Step(timeout_s=timeout_s, **fields)


def act(name: str, at: Step, **params: Any) -> dict[str, Any]:
    action = stripe.ACTIONS[name]
    found: dict[str, Any] = action.run(at, action.params(**params))
    return found


def failure(name: str, at: Step, **params: Any) -> ActionError:
    with pytest.raises(ActionError) as failed:
        act(name, at, **params)
    return failed.value


# Reading


def test_endpoints_are_told_with_those_that_are_disabled(standin: StripeStandin) -> None:
    standin.endpoint("https://shop.example/a")
    ill = standin.endpoint("https://shop.example/b", "disabled")
    standin.endpoint("https://other.example/c", "disabled")
    found = act("endpoints", step(standin), url="shop.example")
    assert (found["count"], found["disabled"], found["disabled_ids"]) == (2, 1, [ill["id"]])
    assert found["endpoints"][0]["events"] == ["payment_intent.succeeded", "charge.refunded"]


def test_undelivered_events_are_counted_by_type_over_all_pages(standin: StripeStandin) -> None:
    for number in range(230):
        standin.event("charge.refunded" if number % 10 == 0 else "invoice.paid", age_s=number)
    standin.event(pending=0)
    standin.event(age_s=7_200)
    found = act("undelivered", step(standin), minutes=60)
    assert (found["count"], found["more"]) == (230, False)
    assert found["types"] == {"invoice.paid": 207, "charge.refunded": 23}
    assert len(found["events"]) == 50
    assert found["oldest_at"].endswith("Z")
    assert len(standin.calls) == 3


def test_only_some_types_and_no_more_than_asked_for_are_looked_at(standin: StripeStandin) -> None:
    for _ in range(5):
        standin.event("invoice.paid")
        standin.event("charge.refunded")
    found = act("undelivered", step(standin), types=["invoice.paid", "payout.paid"], most=3)
    assert (found["count"], found["more"], found["types"]) == (3, True, {"invoice.paid": 3})


def test_the_share_of_failed_payments_and_why_they_were_declined(standin: StripeStandin) -> None:
    for _ in range(6):
        standin.intent()
    standin.intent(decline="insufficient_funds")
    for decline in ("insufficient_funds", "insufficient_funds", "lost_card"):
        standin.intent("requires_payment_method", decline=decline)
    standin.intent("requires_payment_method")
    standin.intent(created=1_000)
    found = act("intents", step(standin))
    assert (found["succeeded"], found["failed"], found["failure_percent"]) == (7, 3, 30.0)
    assert found["declines"] == {"insufficient_funds": 2, "lost_card": 1}
    assert found["statuses"] == {"succeeded": 7, "requires_payment_method": 4}
    assert found["count"] == 11


def test_without_payments_nothing_fails(standin: StripeStandin) -> None:
    assert act("intents", step(standin))["failure_percent"] == 0


def test_refunds_are_told_and_summed_by_currency(standin: StripeStandin) -> None:
    one, other = standin.intent(), standin.intent()
    for intent in (one, one, other):
        refund(standin, intent, amount=1_000 + len(standin.refunds))
    standin.refunds[0]["status"] = "canceled"
    found = act("refunds", step(standin))
    assert (found["count"], found["totals"]) == (3, {"pln": 2_001})
    assert {each["reason"] for each in found["refunds"]} == {"requested_by_customer"}
    assert act("refunds", step(standin), payment_intent=one["id"])["count"] == 2


def test_a_payment_is_told_with_what_was_given_back_of_it(standin: StripeStandin) -> None:
    intent = standin.intent(latest_charge="ch_1")
    refund(standin, intent, amount=1_000)
    refund(standin, intent, amount=2_500)
    refund(standin, intent, amount=4_000)
    standin.refunds[0]["status"] = "failed"
    refund(standin, standin.intent(), amount=500)
    found = act("payment", step(standin), payment_intent=intent["id"])
    assert (found["received"], found["refunded"], found["left"], found["refunds"]) == (
        10_000,
        3_500,
        6_500,
        2,
    )
    assert (found["status"], found["currency"], found["charge"]) == ("succeeded", "pln", "ch_1")


def test_a_payment_that_never_came_has_nothing_left(standin: StripeStandin) -> None:
    found = act("payment", step(standin), payment_intent=standin.intent("canceled")["id"])
    assert (found["status"], found["left"]) == ("canceled", 0)


def test_disputes_are_told_by_whose_time_runs_out_first(standin: StripeStandin) -> None:
    later = standin.dispute(due_in_s=900_000)
    never = standin.dispute("warning_needs_response", due_in_s=0)
    first = standin.dispute(due_in_s=7_300)
    standin.dispute("won")
    standin.dispute(created=1_000)
    found = act("disputes", step(standin))
    assert [each["id"] for each in found["disputes"]] == [first["id"], later["id"], never["id"]]
    assert (found["count"], found["first_due_at"]) == (3, found["disputes"][0]["due_at"])
    assert found["statuses"] == {"needs_response": 2, "warning_needs_response": 1, "won": 1}
    assert (found["disputes"][0]["hours_left"], found["disputes"][2]["hours_left"]) == (2, None)
    assert found["disputes"][0]["payment_intent"] == first["payment_intent"]
    assert "Ola" not in json.dumps(found)


def test_disputes_of_one_payment(standin: StripeStandin) -> None:
    standin.dispute()
    one = standin.dispute(evidence_details=None)
    found = act("disputes", step(standin), payment_intent=one["payment_intent"])
    assert [each["id"] for each in found["disputes"]] == [one["id"]]
    none = act("disputes", step(standin), payment_intent="pi_other")
    assert (none["count"], none["first_due_at"], none["disputes"]) == (0, "", [])


# Endpoints


def test_an_endpoint_is_enabled_and_can_be_disabled_again(standin: StripeStandin) -> None:
    one = standin.endpoint(status="disabled")
    found = act("enable_endpoint", step(standin), endpoint=one["id"])
    assert (found, one["status"]) == ({"endpoint": one["id"], "status": "enabled", "affects": 1}, "enabled")
    act("enable_endpoint", step(standin), endpoint=one["id"], enabled=False)
    assert one["status"] == "disabled"


def test_an_endpoint_that_is_enabled_is_only_looked_at(standin: StripeStandin) -> None:
    one = standin.endpoint()
    assert act("enable_endpoint", step(standin), endpoint=one["id"])["already"]
    assert standin.changes == []


def test_a_repeat_enables_again_what_was_disabled_meanwhile(standin: StripeStandin) -> None:
    one = standin.endpoint(status="disabled")
    at = step(standin, idempotency_key="INC-1-r1")
    for _ in range(2):
        one["status"] = "disabled"
        act("enable_endpoint", at, endpoint=one["id"])
        assert one["status"] == "enabled"


def test_a_recreated_endpoint_is_like_the_old_one_which_is_disabled(
    standin: StripeStandin, tmp_path: Path
) -> None:
    old = standin.endpoint(description="the shop", enabled_events=["*"])
    file = tmp_path / "secret"
    file.touch(mode=0o644)
    with journal() as lines:
        at = step(standin, settings=standin.settings(secret_file=str(file)))
        found = act("recreate_endpoint", at, endpoint=old["id"])
    new = standin.endpoints[0]
    same = ("url", "enabled_events", "api_version", "description")
    assert [new[name] for name in same] == [old[name] for name in same]
    assert (new["status"], old["status"]) == ("enabled", "disabled")
    assert (found["endpoint"], found["replaces"], found["where"]) == (new["id"], old["id"], f"in {file}")
    assert file.read_text() == f"whsec_{new['id']}SecretSaidOnce\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "whsec_" not in json.dumps([found, lines])


def test_without_a_file_the_secret_is_dropped_and_the_dashboard_is_named(standin: StripeStandin) -> None:
    old = standin.endpoint()
    found = act("recreate_endpoint", step(standin), endpoint=old["id"], old="keep")
    assert "Dashboard" in found["where"]
    assert "whsec_" not in str(found)
    assert old["status"] == "enabled"


def test_a_repeat_makes_no_second_endpoint_and_still_hands_the_secret_over(
    standin: StripeStandin, tmp_path: Path
) -> None:
    old = standin.endpoint()
    at = step(standin, settings=standin.settings(secret_file=str(tmp_path / "secret")))
    standin.misbehave(Misbehaviour(), Misbehaviour(), Misbehaviour(status=500))
    assert failure("recreate_endpoint", at, endpoint=old["id"]).outcome is Outcome.TEMPORARY
    (tmp_path / "secret").unlink()
    made = act("recreate_endpoint", at, endpoint=old["id"])["endpoint"]
    assert (len(standin.endpoints), old["status"]) == (2, "disabled")
    assert made in (tmp_path / "secret").read_text()


def test_a_file_that_cannot_be_written_does_not_hide_that_the_endpoint_was_made(
    standin: StripeStandin,
) -> None:
    old = standin.endpoint()
    at = step(standin, settings=standin.settings(secret_file="/no/such/folder/secret"))
    found = act("recreate_endpoint", at, endpoint=old["id"])
    assert "cannot be written" in found["where"]
    assert found["endpoint"] == standin.endpoints[0]["id"]


# Refunds


def refund(
    standin: StripeStandin, intent: dict[str, Any], at: Step | None = None, **params: Any
) -> dict[str, Any]:
    given = {"payment_intent": intent["id"], "amount": 4_000, "most": 5_000, "currency": "pln", **params}
    return act("refund", at or step(standin), **given)


def refund_failure(
    standin: StripeStandin, intent: dict[str, Any], at: Step | None = None, **params: Any
) -> ActionError:
    with pytest.raises(ActionError) as failed:
        refund(standin, intent, at, **params)
    return failed.value


def test_a_refund_is_made_once_however_often_its_step_is_repeated(standin: StripeStandin) -> None:
    intent = standin.intent()
    at = step(standin, idempotency_key="INC-1-r1/refund")
    found = refund(standin, intent, at)
    assert (found["status"], found["amount"], found["currency"], found["affects"]) == (
        "succeeded",
        4_000,
        "pln",
        1,
    )
    again = refund(standin, intent, at)
    assert (again["refund"], again["already"], again["affects"]) == (found["refund"], True, 0)
    refund(standin, intent, step(standin, idempotency_key="INC-2-r1/refund"))
    assert [each["amount"] for each in standin.refunds] == [4_000, 4_000]


@pytest.mark.parametrize(
    "how",
    [Misbehaviour(hang_up=True), Misbehaviour(delay_s=30), Misbehaviour(garbage=True)],
    ids=["hangs up", "30 s", "garbage"],
)
def test_silence_after_a_refund_is_asked_about_with_the_same_key(
    standin: StripeStandin, how: Misbehaviour
) -> None:
    intent = standin.intent()
    standin.misbehave(Misbehaviour(), Misbehaviour(), how)
    assert refund(standin, intent, step(standin, 4.0))["status"] == "succeeded"
    assert len(standin.refunds) == 1
    assert [call.method for call in standin.calls] == ["GET", "GET", "POST", "POST"]


def test_silence_that_lasts_stays_unknown_and_a_repeat_of_the_step_finds_what_was_made(
    standin: StripeStandin,
) -> None:
    intent = standin.intent()
    standin.misbehave(Misbehaviour(), Misbehaviour(), Misbehaviour(hang_up=True), Misbehaviour(hang_up=True))
    assert refund_failure(standin, intent).outcome is Outcome.UNKNOWN
    assert refund(standin, intent)["already"]
    assert len(standin.refunds) == 1


def test_more_than_the_step_may_is_refused_without_asking(standin: StripeStandin) -> None:
    refused = refund_failure(standin, standin.intent(), amount=5_001)
    assert (refused.outcome, standin.calls) == (Outcome.REFUSED, [])


def test_more_than_is_left_of_the_payment_is_not_asked_for(standin: StripeStandin) -> None:
    intent = standin.intent(amount=6_000)
    refund(standin, intent)
    refused = refund_failure(standin, intent, amount=2_001)
    assert (refused.outcome, "2000 pln are left" in str(refused)) == (Outcome.PERMANENT, True)
    assert len(standin.changes) == 1


@pytest.mark.parametrize(
    ("intent", "params", "said"),
    [
        ({"status": "requires_payment_method"}, {}, "not succeeded"),
        ({"status": "canceled"}, {}, "not succeeded"),
        ({}, {"currency": "eur"}, "not eur"),
    ],
)
def test_what_cannot_be_refunded_is_permanent(
    standin: StripeStandin, intent: dict[str, Any], params: dict[str, Any], said: str
) -> None:
    refused = refund_failure(standin, standin.intent(**intent), **params)
    assert (refused.outcome, said in str(refused), standin.changes) == (Outcome.PERMANENT, True, [])


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_fails_is_no_success(standin: StripeStandin, status: str) -> None:
    standin.refund_status = status
    failed = refund_failure(standin, standin.intent())
    assert (failed.outcome, "another way" in str(failed)) == (Outcome.PERMANENT, True)


def test_a_refund_that_is_under_way_is_told_as_such(standin: StripeStandin) -> None:
    standin.refund_status = "pending"
    assert refund(standin, standin.intent())["status"] == "pending"


# Replay


def front_door(standin: StripeStandin, url: str, **changes: str) -> dict[str, str]:
    return standin.settings(webhook_secret=SECRET, front_door=url, **changes)


def test_undelivered_events_come_in_through_our_own_front_door_oldest_first(
    standin: StripeStandin, reception: Reception
) -> None:
    made = [standin.event("charge.dispute.created", age_s=age)["id"] for age in (300, 200, 100)]
    standin.event(pending=0)
    at = step(standin, settings=front_door(standin, reception.url))
    found = act("replay_events", at)
    assert found == {"undelivered": 3, "more": False, "accepted": 3, "dead": 0, "refused": 0, "affects": 3}
    assert [entry.event.vendor_id for entry in reception.entries()] == made  # type: ignore[union-attr]


def test_a_repeat_takes_nothing_in_twice(standin: StripeStandin, reception: Reception) -> None:
    standin.event()
    standin.event()
    at = step(standin, settings=front_door(standin, reception.url))
    for _ in range(2):
        assert act("replay_events", at)["accepted"] == 2
    assert len(reception.entries()) == 2


def test_nothing_is_replayed_that_may_have_been_forgotten() -> None:
    remembered = Source("stripe", "stripe", (), HERE).dedup_ms
    assert replaying.ReplayEvents(minutes=remembered // 60_000)
    with pytest.raises(ValueError, match="minutes"):
        replaying.ReplayEvents(minutes=remembered // 60_000 + 1)


def test_the_wrong_secret_stops_at_the_first_and_says_which_to_check(
    standin: StripeStandin, reception: Reception
) -> None:
    standin.event()
    standin.event()
    settings = {**front_door(standin, reception.url), "webhook_secret": "whsec_of_somebody_else"}
    failed = failure("replay_events", step(standin, settings=settings))
    assert (failed.outcome, "STRIPE_WEBHOOK_SECRET" in str(failed)) == (Outcome.PERMANENT, True)
    assert "whsec_of" not in str(failed)
    assert reception.entries() == []


def test_a_source_that_is_not_there_is_permanent(standin: StripeStandin, reception: Reception) -> None:
    standin.event()
    at = step(standin, settings=front_door(standin, reception.url))
    assert "front_door" in str(failure("replay_events", at, source="strype"))


@pytest.mark.parametrize(
    "how", [Misbehaviour(status=503, retry_after="7"), Misbehaviour(hang_up=True), Misbehaviour(status=504)]
)
def test_a_receiver_that_takes_nothing_now_is_asked_again_later(
    standin: StripeStandin, how: Misbehaviour
) -> None:
    for _ in range(3):
        standin.event()
    with VendorServer() as receiver:
        receiver.misbehave(Misbehaviour(), how)
        failed = failure("replay_events", step(standin, settings=front_door(standin, receiver.url)))
        assert len(receiver.calls) == 2
    assert (failed.outcome, "1 of 3 events" in str(failed)) == (Outcome.TEMPORARY, True)
    assert failed.retry_after_ms == (7_000 if how.retry_after else 0)


def test_what_the_receiver_does_not_want_is_counted(standin: StripeStandin) -> None:
    standin.event()
    standin.event()
    with VendorServer() as receiver:
        receiver.misbehave(Misbehaviour(status=413))
        found = act("replay_events", step(standin, settings=front_door(standin, receiver.url)))
    assert (found["refused"], found["undelivered"]) == (1, 2)


def test_the_kill_switch_stops_a_replay_in_the_middle(standin: StripeStandin) -> None:
    for _ in range(3):
        standin.event()
    answers = iter([True, False])
    with VendorServer() as receiver:
        at = step(standin, settings=front_door(standin, receiver.url), allowed=lambda: next(answers))
        assert failure("replay_events", at).outcome is Outcome.REFUSED
        assert len(receiver.calls) == 1


def test_without_the_webhook_secret_a_replay_is_only_simulated(standin: StripeStandin) -> None:
    standin.event()
    failed = failure("replay_events", step(standin))
    assert isinstance(failed, NoCredentialsError)
    assert "STRIPE_WEBHOOK_SECRET" in str(failed)


# A payment with a test card


def test_a_payment_with_a_test_card_is_really_made_each_time(standin: StripeStandin) -> None:
    at = step(standin, settings=standin.settings(test_key=KEY, api_key="rk_live_ours"))
    found = [act("test_payment", at), act("test_payment", at, amount=4_900, currency="eur")]
    assert [(each["ok"], each["status"], each["error"]) for each in found] == [(True, "succeeded", "")] * 2
    assert [(each["id"], each["amount"], each["currency"]) for each in standin.intents] == [
        (found[1]["payment_intent"], 4_900, "eur"),
        (found[0]["payment_intent"], 1_000, "pln"),
    ]
    assert found[0]["ms"] >= 0


@pytest.mark.parametrize(
    ("card", "says"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_authenticationRequired", "the payment is requires_action, not succeeded"),
    ],
)
def test_a_card_that_does_not_pay_is_a_result(standin: StripeStandin, card: str, says: str) -> None:
    found = act("test_payment", step(standin, settings=standin.settings(test_key=KEY)), card=card)
    assert found["ok"] is False
    assert says in found["error"]


def test_nobodys_money_is_touched_though_a_live_key_stands_in_its_place(standin: StripeStandin) -> None:
    failed = failure("test_payment", step(standin, settings=standin.settings(test_key="sk_live_ours")))
    assert failed.outcome is Outcome.PERMANENT
    assert "must begin with sk_test_ or rk_test_" in str(failed)
    assert "sk_live_ours" not in str(failed)
    failed = failure("test_payment", step(standin))
    assert isinstance(failed, NoCredentialsError)
    assert "STRIPE_TEST_KEY" in str(failed)
    assert standin.calls == []


# Refusals

ONE: dict[str, dict[str, Any]] = {
    "endpoints": {}, "undelivered": {}, "intents": {}, "refunds": {}, "disputes": {},
    "payment": {"payment_intent": "pi_9"}, "test_payment": {},
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "enable_endpoint": {"endpoint": "we_9"},
    "recreate_endpoint": {"endpoint": "we_9"},
    "refund": {"payment_intent": "pi_9", "amount": 1, "most": 1, "currency": "pln"},
}


@pytest.mark.parametrize("name", list(ONE))
@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (Misbehaviour(status=400), Outcome.PERMANENT),
        (Misbehaviour(status=401), Outcome.PERMANENT),
        (Misbehaviour(status=403), Outcome.PERMANENT),
        (Misbehaviour(status=429, retry_after="30"), Outcome.TEMPORARY),
        (Misbehaviour(status=500), Outcome.TEMPORARY),
        (Misbehaviour(status=504), Outcome.TEMPORARY),
        (Misbehaviour(hang_up=True), Outcome.TEMPORARY),
        (Misbehaviour(garbage=True), Outcome.TEMPORARY),
        (Misbehaviour(delay_s=30), Outcome.TEMPORARY),
    ],
    ids=["400", "401", "403", "429", "500", "504", "hangs up", "garbage", "30 s"],
)
def test_every_refusal_of_a_look_has_its_class(
    standin: StripeStandin, name: str, how: Misbehaviour, outcome: Outcome
) -> None:
    standin.intent(id="pi_9")
    standin.misbehave(how)
    settings = standin.settings(test_key=KEY)
    failed = failure(name, step(standin, 0.6 if how.delay_s else 5.0, settings=settings), **ONE[name])
    assert failed.outcome is outcome
    assert failed.retry_after_ms == (30_000 if how.retry_after else 0)


@pytest.mark.parametrize("name", list(CHANGES))
@pytest.mark.parametrize(
    ("how", "outcome", "said"),
    [
        (Misbehaviour(status=401), Outcome.PERMANENT, "STRIPE_API_KEY"),
        (Misbehaviour(status=402), Outcome.PERMANENT, "Dashboard"),
        (Misbehaviour(status=404), Outcome.PERMANENT, "test key"),
        (Misbehaviour(status=409, retry_after="30"), Outcome.TEMPORARY, "same idempotency key"),
        (Misbehaviour(status=429, retry_after="30"), Outcome.TEMPORARY, "too many"),
        (Misbehaviour(status=500), Outcome.TEMPORARY, "500"),
        (Misbehaviour(status=503), Outcome.TEMPORARY, "503"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Misbehaviour) else None,
)
def test_every_refusal_of_a_change_has_its_class_and_says_what_to_do(
    standin: StripeStandin, name: str, how: Misbehaviour, outcome: Outcome, said: str
) -> None:
    standin.endpoint(id="we_9", status="disabled")
    standin.intent(id="pi_9")
    reads = 2 if name == "refund" else 1
    standin.misbehave(*[Misbehaviour()] * reads, how)
    failed = failure(name, step(standin), **CHANGES[name])
    assert (failed.outcome, said in str(failed)) == (outcome, True), str(failed)
    assert standin.changes == []


@pytest.mark.parametrize(
    "how", [Misbehaviour(status=429), Misbehaviour(status=429, retry_after="1"), Misbehaviour(status=409)]
)
def test_it_waits_as_long_as_stripe_asks_while_there_is_time(
    standin: StripeStandin, how: Misbehaviour
) -> None:
    one = standin.endpoint(status="disabled")
    standin.misbehave(Misbehaviour(), how)
    assert act("enable_endpoint", step(standin), endpoint=one["id"])["status"] == "enabled"
    before, after = standin.calls[1:]
    assert after.at - before.at >= (1_000 if how.retry_after else 500)


def test_a_key_used_for_something_else_is_permanent(standin: StripeStandin) -> None:
    one, other = standin.intent(), standin.intent()
    at = step(standin, idempotency_key="the same")
    refund(standin, one, at)
    failed = refund_failure(standin, other, at)
    assert (failed.outcome, "idempotent" in str(failed)) == (Outcome.PERMANENT, True)
    assert len(standin.refunds) == 1


@pytest.mark.parametrize("name", list(CHANGES))
def test_permission_is_asked_for_right_before_each_change(standin: StripeStandin, name: str) -> None:
    standin.endpoint(id="we_9", status="disabled")
    standin.intent(id="pi_9")
    failed = failure(name, step(standin, allowed=lambda: False), **CHANGES[name])
    assert (failed.outcome, standin.changes) == (Outcome.REFUSED, [])


def test_a_wrong_key_is_not_shown(standin: StripeStandin) -> None:
    failed = failure("endpoints", step(standin, settings=standin.settings(api_key="sk_test_wrong")))
    assert (failed.outcome, "sk_test_wrong" in str(failed)) == (Outcome.PERMANENT, False)


def test_without_a_key_nothing_is_asked(standin: StripeStandin) -> None:
    for name, params in ONE.items():
        failed = failure(name, step(standin, settings={"base_url": standin.url}), **params)
        assert isinstance(failed, NoCredentialsError)
    assert standin.calls == []


@pytest.mark.parametrize("value", ["we_1/../../refunds", "pi_1", "we_", "we_1?a=b", "we_{0}", "we_1\n"])
def test_an_id_cannot_lead_elsewhere(value: str) -> None:
    with pytest.raises(ValueError, match="endpoint"):
        endpoints.EnableEndpoint(endpoint=value)


@pytest.mark.parametrize("name", list(stripe.ACTIONS))
def test_every_action_can_say_what_it_would_ask_without_asking(standin: StripeStandin, name: str) -> None:
    action = stripe.ACTIONS[name]
    assert action.plan is not None
    planned = action.plan(
        replace(step(standin), settings=front_door(standin, standin.url)),
        action.params(**{**ONE, **CHANGES}.get(name, {})),
    )
    tries = name == "test_payment"
    assert planned["would"]["method"] == ("POST" if action.mutates or tries else "GET")
    assert planned["would"]["url"].startswith(standin.url)
    assert standin.calls == []
