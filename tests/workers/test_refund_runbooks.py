"""Refunds and disputes, as they ship, with a Stripe that really gives money back."""

from collections.abc import Iterator
from typing import Any

import pytest
from carrying import Carried
from redis import Redis
from stripe_standin import KEY, StripeStandin
from vendor_server import Misbehaviour

from routing.entry import Verb
from routing.instant import HOUR, MINUTE, SECOND
from routing.run import RunPhase


@pytest.fixture
def stripe() -> Iterator[StripeStandin]:
    with StripeStandin() as made:
        yield made


@pytest.fixture
def place(redis: Redis, stripe: StripeStandin) -> Carried:
    return Carried(redis, {"STRIPE_API_KEY": KEY, "STRIPE_BASE_URL": stripe.url})


def ask(place: Carried, intent: dict[str, Any], amount: str = "4000", currency: str = "pln") -> None:
    place.alert("RefundRequested", payment_intent=intent["id"], amount=amount, currency=currency)
    place.passes(10 * SECOND)


def given(stripe: StripeStandin) -> list[int]:
    return [each["amount"] for each in stripe.refunds]


def test_money_goes_back_once_somebody_has_agreed(place: Carried, stripe: StripeStandin) -> None:
    ask(place, stripe.intent())
    place.passes(HOUR)
    assert given(stripe) == []
    place.says(Verb.APPROVE, "commander")
    assert place.run("refund").phase is RunPhase.SUCCEEDED
    assert (given(stripe), place.incident.resolved_by) == ([4_000], "runbook refund")


@pytest.mark.parametrize(
    ("verb", "why"), [(Verb.DENY, "denied by commander"), (Verb.NOTE, "no answer means no")]
)
def test_without_a_yes_nothing_goes_back(place: Carried, stripe: StripeStandin, verb: Verb, why: str) -> None:
    ask(place, stripe.intent())
    place.says(verb, "commander")
    run = place.run("refund", 10 * HOUR)
    assert (run.phase, why in run.why, given(stripe)) == (RunPhase.REFUSED, True, [])


def test_a_promise_that_becomes_money_is_waited_for(place: Carried, stripe: StripeStandin) -> None:
    stripe.refund_status = "pending"
    ask(place, stripe.intent())
    place.says(Verb.APPROVE, "commander")
    place.passes(5 * MINUTE)
    assert place.runs[-1].phase is RunPhase.VERIFY
    stripe.refunds[0]["status"] = "succeeded"
    assert place.run("refund").phase is RunPhase.SUCCEEDED


@pytest.mark.parametrize("becomes", ["pending", "failed"])
def test_a_promise_that_does_not_is_no_refund(place: Carried, stripe: StripeStandin, becomes: str) -> None:
    stripe.refund_status = "pending"
    ask(place, stripe.intent())
    place.says(Verb.APPROVE, "commander")
    place.passes(MINUTE)
    stripe.refunds[0]["status"] = becomes
    run = place.run("refund")
    assert (run.phase, len(given(stripe)), place.incident.resolved_at) == (RunPhase.FAILED, 1, 0)


@pytest.mark.parametrize(
    ("amount", "currency", "why"),
    [
        ("60000", "pln", "more than 500.00"),
        ("10001", "pln", "than was paid"),
        ("4000", "eur", "in that currency"),
        ("all", "pln", "than was paid"),
        ("4000; drop table", "pln", "than was paid"),
    ],
)
def test_nobody_is_asked_for_what_cannot_be(
    place: Carried, stripe: StripeStandin, amount: str, currency: str, why: str
) -> None:
    ask(place, stripe.intent(amount=70_000 if amount == "60000" else 10_000), amount, currency)
    run = place.run("refund")
    assert (run.phase, why in run.why, run.approval, stripe.changes) == (RunPhase.STOPPED, True, None, [])


@pytest.mark.parametrize("amount", ["-4000", "0"])
def test_no_negative_or_empty_refund_is_made(place: Carried, stripe: StripeStandin, amount: str) -> None:
    ask(place, stripe.intent(), amount)
    place.says(Verb.APPROVE, "commander")
    assert (place.run("refund").phase, stripe.changes) == (RunPhase.FAILED, [])


def test_a_payment_of_which_something_was_given_back_is_a_persons(
    place: Carried, stripe: StripeStandin
) -> None:
    intent = stripe.intent()
    ask(place, intent)
    stripe.refunds.append(
        {"id": "re_by_hand", "payment_intent": intent["id"], "amount": 1, "status": "succeeded", "created": 1}
    )
    place.says(Verb.APPROVE, "commander")
    run = place.run("refund")
    assert (run.phase, "before" in run.why, given(stripe)) == (RunPhase.STOPPED, True, [1])


def test_silence_in_the_middle_gives_nothing_back_twice(place: Carried, stripe: StripeStandin) -> None:
    ask(place, stripe.intent())
    stripe.misbehave(Misbehaviour(method="POST", path="/v1/refunds", hang_up=True))
    place.says(Verb.APPROVE, "commander")
    assert place.run("refund").phase is RunPhase.SUCCEEDED
    assert given(stripe) == [4_000]


def test_a_second_request_for_the_same_money_finds_it_given(place: Carried, stripe: StripeStandin) -> None:
    intent = stripe.intent()
    ask(place, intent)
    place.says(Verb.APPROVE, "commander")
    place.run("refund")
    place.passes(2 * HOUR)
    place.alert("RefundRequested", payment_intent=intent["id"], amount="4000", currency="pln")
    place.passes(MINUTE)
    assert given(stripe) == [4_000]


def test_a_dispute_is_handed_over_with_its_deadline_and_its_payment(
    place: Carried, stripe: StripeStandin
) -> None:
    intent = stripe.intent()
    stripe.dispute(payment_intent=intent["id"], due_in_s=86_400 * 3)
    stripe.dispute("lost")
    place.alert("charge.dispute.created", source="stripe")
    run = place.run("dispute")
    (due,) = [each["due_at"] for each in place.found(run, "disputes")["disputes"]]
    assert run.phase is RunPhase.HANDED_OVER
    (task,) = place.incident.followups
    assert (due in task.text, task.to) == (True, [("contact", "commander")])
    assert place.found(run, "payment")["payment_intent"] == intent["id"]
    assert stripe.changes == []


def test_a_dispute_that_nobody_has_to_answer_is_no_task(place: Carried, stripe: StripeStandin) -> None:
    stripe.dispute("under_review")
    place.alert("charge.dispute.created", source="stripe")
    assert (place.run("dispute").phase, place.incident.followups) == (RunPhase.STOPPED, [])


def test_a_dispute_is_handed_over_though_stripe_does_not_answer(
    place: Carried, stripe: StripeStandin
) -> None:
    stripe.misbehave(*[Misbehaviour(status=500)] * 4)
    place.alert("charge.dispute.created", source="stripe")
    run = place.run("dispute")
    assert (run.phase, "500" in run.why, len(place.incident.followups)) == (RunPhase.HANDED_OVER, True, 1)
