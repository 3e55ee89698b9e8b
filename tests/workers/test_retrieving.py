"""What Stripe only hints at is asked for, and the event decided with it; or without it, for a reason."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from gapped import Asking, asking
from reception import SECRETS
from stripe_standin import KEY, StripeStandin
from vendor_server import Misbehaviour

from ledger.clock import now_ms
from ledger.views import why
from receiver.sources import stripe
from routing.decision import Table
from routing.entry import Unretrieved
from routing.event import Event, Status
from workers.retrieving import WAITS_S, Retrieving

PAYOUT = {
    "id": "po_1", "object": "payout", "amount": 12_000, "currency": "pln", "status": "failed",
    "failure_code": "account_closed", "failure_message": "The account is closed.",
}  # fmt: skip


@pytest.fixture
def vendor() -> Iterator[StripeStandin]:
    with StripeStandin() as found:
        found.objects["/v1/payouts/po_1"] = PAYOUT
        found.objects["/v1/accounts/acct_1"] = {
            "id": "acct_1", "object": "account", "requirements": {"past_due": ["external_account"]}
        }  # fmt: skip
        yield found


class Told:
    """Stripe tells of thin events, upkeep asks for the rest, and all is decided."""

    def __init__(self, asked: Asking, vendor: StripeStandin) -> None:
        self.asked = asked
        self.passed_s = 0.0
        self._vendor = vendor
        desk = asked.desk
        self._retrieving = Retrieving(
            desk.client, desk.keys, asked.environ, "upkeep-1", asked.front.url,
            clock=lambda: self.passed_s, timeout_s=2,
        )  # fmt: skip

    def thin(
        self, kind: str, related: dict[str, Any] | None, *, then: Mapping[str, Any] = {}, **more: Any
    ) -> str:
        """Brought by Stripe; `then` is what it says besides when it is fetched. The id of ours."""
        event = {
            "id": f"evt_{len(self._vendor.thin)}", "object": "v2.core.event", "type": kind, "livemode": True,
            "created": "2026-11-24T02:35:07.000Z", "related_object": related, **more,
        }  # fmt: skip
        self._vendor.thin.append({**event, **then})
        body = json.dumps(event).encode()
        signed = stripe.sign(body, SECRETS["STRIPE_WEBHOOK_SECRET"], now_ms())
        answer = self.asked.front.post("/hooks/stripe", body, signed)
        self.asked.desk.fold()
        return str(answer.json()["accepted"][0])

    def look(self, after_s: float = 0) -> None:
        self.passed_s += after_s
        self._retrieving.round()
        self.asked.desk.fold()

    @property
    def waiting(self) -> int:
        return int(self.asked.desk.client.hlen(self.asked.desk.keys.state(Table.HINT)))

    def wholes(self) -> list[Event]:
        return [each.event for each in self.asked.signals() if each.found == "retrieval"]

    def given_up(self) -> list[str]:
        return [entry.why for entry in self.asked.front.entries() if isinstance(entry, Unretrieved)]


@pytest.fixture
def told(redis_url: str, tmp_path: Path, vendor: StripeStandin) -> Iterator[Told]:
    with asking(redis_url, tmp_path, "stripe", "stripe", {"api_key": KEY}, vendor.url) as asked:
        yield Told(asked, vendor)


def payout(told: Told) -> str:
    return told.thin("v1.payout.failed", {"id": "po_1", "type": "payout", "url": "/v1/payouts/po_1"})


def test_a_thin_event_is_decided_with_what_a_snapshot_would_have_said(told: Told) -> None:
    entry = payout(told)
    assert told.waiting == 1
    told.look()
    assert told.waiting == 0
    [whole] = told.wholes()
    assert (whole.key, whole.status, whole.kind) == ("payout:po_1", Status.FIRING, "v1.payout.failed")
    assert whole.summary == "The account is closed."
    assert whole.labels["reason"] == "account_closed"
    assert whole.details["amount"] == "120.00 PLN"
    [life] = why(told.asked.desk.store, entry)
    said = [stage["what"] for stage in life.stages if stage["stage"] in {"decided", "verified"}]
    assert said[1] == "held until its rest is retrieved"
    assert said[2].startswith("found by retrieval")
    assert said[3].startswith("opened INC-")


def test_what_depends_on_the_object_is_judged_by_it(told: Told) -> None:
    told.thin("v1.account.updated", {"id": "acct_1", "type": "account", "url": "/v1/accounts/acct_1"})
    told.look()
    assert [event.status for event in told.wholes()] == [Status.FIRING]


def test_a_health_alert_tells_what_it_is_about_when_it_is_fetched(told: Told) -> None:
    data = {"alert_id": "a1", "grouping_key": "g1", "summary": "Requests fail"}
    for state in ("firing", "resolved"):
        told.thin(f"v2.core.health.api_error.{state}", None, then={"data": data})
    told.look()
    firing, resolved = sorted(told.wholes(), key=lambda event: event.status)
    assert firing.key == resolved.key == "health:v2.core.health.api_error:g1"
    assert (firing.summary, firing.status, resolved.status) == (
        "Requests fail",
        Status.FIRING,
        Status.RESOLVED,
    )


def test_an_account_of_connect_is_named_when_its_object_is_asked_for(
    told: Told, vendor: StripeStandin
) -> None:
    vendor.contexts["/v1/payouts/po_1"] = "acct_9"
    told.thin(
        "v1.payout.failed", {"id": "po_1", "type": "payout", "url": "/v1/payouts/po_1"}, context="acct_9"
    )
    told.look()
    [whole] = told.wholes()
    assert whole.labels["account"] == "acct_9"


def test_a_ping_has_no_rest(told: Told, vendor: StripeStandin) -> None:
    told.thin("v2.core.event_destination.ping", None)
    assert told.waiting == 0
    told.look()
    assert vendor.calls == []


@pytest.mark.parametrize(
    "how", [Misbehaviour(status=500), Misbehaviour(status=429, retry_after="3"), Misbehaviour(hang_up=True),
            Misbehaviour(garbage=True), Misbehaviour(delay_s=3)]
)  # fmt: skip
def test_it_is_tried_again(told: Told, vendor: StripeStandin, how: Misbehaviour) -> None:
    payout(told)
    vendor.misbehave(how)
    told.look()
    assert (told.waiting, told.wholes(), told.given_up()) == (1, [], [])
    asked = len(vendor.calls)
    told.look(0.5)
    assert len(vendor.calls) == asked, "not at once"
    told.look(3)
    assert len(told.wholes()) == 1
    assert told.waiting == 0


def test_after_a_few_tries_it_is_decided_on_what_it_has(told: Told, vendor: StripeStandin) -> None:
    entry = payout(told)
    vendor.misbehave(*[Misbehaviour(status=503)] * (len(WAITS_S) + 1))
    for wait in (0.0, *WAITS_S):
        assert told.waiting == 1
        told.look(wait)
    assert told.waiting == 0
    [said] = told.given_up()
    assert "503" in said
    [life] = why(told.asked.desk.store, entry)
    reasons = [reason["text"] for stage in life.stages for reason in stage["reasons"]]
    assert any("decided on what it has" in reason for reason in reasons)
    assert life.incident.startswith("INC-"), "a failed payout opens, whatever else is not known"


def test_what_stripe_will_never_tell_is_given_up_at_once(told: Told, vendor: StripeStandin) -> None:
    told.thin("v1.payout.failed", {"id": "po_2", "type": "payout", "url": "/v1/payouts/po_2"})
    told.look()
    assert told.waiting == 0
    assert "404" in told.given_up()[0]


def test_an_address_that_is_not_stripes_is_never_asked(told: Told, vendor: StripeStandin) -> None:
    told.thin("v1.payout.failed", {"id": "po_1", "type": "payout", "url": "/v1/../admin?x=1"})
    told.look()
    assert [call.path for call in vendor.calls] == ["/v2/core/events/evt_0"]
    assert told.waiting == 0


def test_without_a_key_it_is_decided_at_once_and_says_so(
    redis_url: str, tmp_path: Path, vendor: StripeStandin
) -> None:
    poll = {"api_key": "${STRIPE_API_KEY}"}
    with asking(redis_url, tmp_path, "stripe", "stripe", poll, vendor.url) as asked:
        told = Told(asked, vendor)
        payout(told)
        told.look()
        assert (told.waiting, told.given_up()) == (0, ["STRIPE_API_KEY not set"])


def test_asked_twice_it_is_one(told: Told, vendor: StripeStandin) -> None:
    """Whoever asked first died before its entry was folded."""
    payout(told)
    desk = told.asked.desk
    for name in ("upkeep-1", "upkeep-1"):
        Retrieving(desk.client, desk.keys, told.asked.environ, name, told.asked.front.url).round()
    desk.fold()
    assert len(told.wholes()) == 1
    assert [each.found for each in told.asked.signals()] == ["", "retrieval"]
