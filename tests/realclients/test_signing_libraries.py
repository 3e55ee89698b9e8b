"""Libraries that senders sign and write their webhooks with, against our sources, over loopback; and the reverse.

`sentry_sdk` is no sender of webhooks: it posts envelopes to a DSN, and Sentry itself signs what its integrations
send, which no library of theirs does. Its last test here is only that an SDK with our address does no harm;
tests/flow/test_sentry.py has the SDK as we use it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import sentry_sdk
import standardwebhooks
import stripe
import svix.webhooks
from cloudevents.core.bindings import http as cloudevents_http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1.conversion import to_binary, to_structured
from cloudevents.v1.http import CloudEvent as OlderEvent
from front_doors import DOORS, Doors, open_doors
from reception import source
from senders import SETTINGS

from ledger.catalogue import source as module
from ledger.clock import now_ms
from ledger.connection import connect
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings
from routing.event import Event

pytestmark = pytest.mark.xdist_group("doors")

WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
UNPADDED = "whsec_c2VjcmV0IG9mIGEgbGVuZ3Ro"[:-1]
STRIPE = "whsec_of_stripe"
TOKEN = "cloudevents-token"
BODY = orjson.dumps(
    {"type": "payment.failed", "timestamp": "2026-11-28T20:00:00Z", "data": {"id": "é", "amount": 5}}
)
SOURCES = {
    "standard": replace(source("standard", "standard_webhooks"), secrets=(WHSEC, UNPADDED)),
    "stripe": replace(source("stripe", "stripe"), secrets=(STRIPE,)),
    "events": replace(source("events", "cloudevents"), secrets=(TOKEN,), settings=SETTINGS["cloudevents"]),
}


@pytest.fixture(scope="module")
def doors(server: EmbeddedServer) -> Iterator[Doors]:
    with connect(LedgerSettings(redis_url=server.url)) as redis:
        redis.flushall()
        with open_doors(redis, server.url, policy=replace(DOORS, sources=SOURCES)) as found:
            yield found


def sent(doors: Doors, name: str, body: bytes, headers: dict[str, str]) -> int:
    return doors.reception.post(f"/hooks/{name}", body, headers).status_code


def newest(doors: Doors, count: int = 1) -> list[Event]:
    return [signal.event for signal in doors.signals()[-count:]]


# ── Standard Webhooks, and Svix, which signs for many vendors ───────────────────────────────────────────────


def signed(
    library: Any, brand: str, id_: str, *, secret: str = WHSEC, at: datetime | None = None
) -> dict[str, str]:
    at = at or datetime.now(UTC)
    return {
        f"{brand}-id": id_,
        f"{brand}-timestamp": str(int(at.timestamp())),
        f"{brand}-signature": library.Webhook(secret).sign(id_, at, BODY.decode()),
    }


LIBRARIES = [(standardwebhooks, "webhook"), (svix.webhooks, "svix"), (svix.webhooks, "webhook")]


@pytest.mark.parametrize(("library", "brand"), LIBRARIES)
def test_what_the_library_signs_is_taken_and_a_forgery_is_not(doors: Doors, library: Any, brand: str) -> None:
    id_ = f"msg_{brand}_{library.__name__}"
    good = signed(library, brand, id_)
    assert sent(doors, "standard", BODY, good) == 202
    (event,) = newest(doors)
    assert (event.kind, event.vendor_id) == ("payment.failed", id_)
    forged = {
        "another body": (BODY + b" ", good),
        "another id": (BODY, {**good, f"{brand}-id": "msg_other"}),
        "another secret": (BODY, signed(library, brand, id_, secret="whsec_" + "QUFB" * 8)),
        "old": (BODY, signed(library, brand, id_, at=datetime.now(UTC) - timedelta(hours=1))),
        "ahead": (BODY, signed(library, brand, id_, at=datetime.now(UTC) + timedelta(hours=1))),
        "no id": (BODY, {name: value for name, value in good.items() if name != f"{brand}-id"}),
    }
    assert {what: sent(doors, "standard", *each) for what, each in forged.items()} == dict.fromkeys(
        forged, 401
    )


def test_a_secret_without_padding_is_read_as_the_library_reads_it(doors: Doors) -> None:
    assert sent(doors, "standard", BODY, signed(standardwebhooks, "webhook", "msg_p", secret=UNPADDED)) == 202


def test_headers_of_two_brands_are_not_mixed(doors: Doors) -> None:
    good = signed(standardwebhooks, "webhook", "msg_a")
    other = signed(svix.webhooks, "svix", "msg_b")
    mixed = {**good, "svix-id": other["svix-id"], "webhook-signature": other["svix-signature"]}
    assert sent(doors, "standard", BODY, mixed) == 401


@pytest.mark.parametrize("library", [standardwebhooks, svix.webhooks])
def test_what_we_sign_the_library_takes(library: Any) -> None:
    headers = module("standard_webhooks").sign(BODY, WHSEC, now_ms())
    library.Webhook(WHSEC).verify(BODY, headers)
    with pytest.raises(library.WebhookVerificationError):
        library.Webhook(WHSEC).verify(BODY + b" ", headers)


# ── Stripe ──────────────────────────────────────────────────────────────────────────────────────────────────


def payout(id_: str) -> bytes:
    told = {"id": id_, "object": "event", "type": "payout.failed", "created": now_ms() // 1000, "livemode": True,
            "data": {"object": {"id": "po_é", "object": "payout", "amount": 5, "currency": "pln"}}}  # fmt: skip
    return orjson.dumps(told)


def header(body: bytes, *, secret: str = STRIPE, ago_s: int = 0) -> dict[str, str]:
    at = now_ms() // 1000 - ago_s
    return {"stripe-signature": stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at)}


def test_what_stripe_s_library_signs_is_taken_and_a_forgery_is_not(doors: Doors) -> None:
    body = payout("evt_library")
    assert sent(doors, "stripe", body, header(body)) == 202
    assert newest(doors)[0].vendor_id == "evt_library"
    assert sent(doors, "stripe", body + b" ", header(body)) == 401
    assert sent(doors, "stripe", body, header(body, secret="whsec_other")) == 401
    assert sent(doors, "stripe", body, header(body, ago_s=3600)) == 401
    assert sent(doors, "stripe", body, header(body, ago_s=-3600)) == 401


def test_what_we_sign_stripe_s_library_takes() -> None:
    body = payout("evt_ours")
    signature = module("stripe").sign(body, STRIPE, now_ms())["stripe-signature"]
    event = stripe.Webhook.construct_event(body, signature, STRIPE)
    assert (event.id, event.type) == ("evt_ours", "payout.failed")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, signature, "whsec_other")


# ── CloudEvents ─────────────────────────────────────────────────────────────────────────────────────────────

AUTH = {"authorization": f"Bearer {TOKEN}"}


def order(number: int) -> dict[str, Any]:
    return {"type": "order.failed", "source": "shop", "id": f"order-{number}", "subject": "1",
            "time": datetime.now(UTC), "datacontenttype": "application/json"}  # fmt: skip


def older(event: OlderEvent, write: Any) -> tuple[bytes, dict[str, str]]:
    headers, body = write(event)
    return body, headers


def newer(event: CloudEvent, write: Any) -> tuple[bytes, dict[str, str]]:
    message = write(event, JSONFormat())
    return message.body, message.headers


@pytest.mark.parametrize("mode", ["binary", "structured", "older binary", "older structured"])
def test_an_event_the_library_writes_is_read_as_it_was_meant(doors: Doors, mode: str) -> None:
    id_, origin, subject = f"order-{mode}", "https://shop.example/öl", "Żywiec 1"
    if mode == "older binary":  # it writes into headers as it is what does not fit there
        origin, subject = "https://shop.example/oil", "Warka 1"
    told = {**order(1), "id": id_, "source": origin, "subject": subject}
    data = {"title": "Order failed", "severity": "critical", "number": 7}
    if mode.startswith("older"):
        event = OlderEvent({**told, "time": told["time"].isoformat()}, data)
        body, headers = older(event, to_binary if mode.endswith("binary") else to_structured)
    else:
        write = cloudevents_http.to_binary if mode == "binary" else cloudevents_http.to_structured
        body, headers = newer(CloudEvent(told, data), write)
    assert sent(doors, "events", body, {**headers, **AUTH}) == 202
    (found,) = newest(doors)
    assert (found.kind, found.status, found.title) == ("order.failed", "firing", "Order failed")
    assert found.vendor_id == f"{origin}:{id_}"
    assert found.labels == {"origin": origin, "subject": subject}
    assert (found.vendor_severity, found.details["number"]) == ("critical", "7")
    assert 0 <= now_ms() - found.starts_at < 60_000
    assert sent(doors, "events", body, headers) == 401


def test_a_batch_of_what_the_library_writes_is_one_event_each(doors: Doors) -> None:
    """It writes no batches itself: the batch format is a JSON list of structured events."""
    written = [JSONFormat().write(CloudEvent(order(number), {"n": number})) for number in (21, 22, 23)]
    body = b"[" + b",".join(written) + b"]"
    headers = {"content-type": "application/cloudevents-batch+json", **AUTH}
    assert sent(doors, "events", body, headers) == 202
    assert [event.vendor_id.rpartition(":")[2] for event in newest(doors, 3)] == [
        "order-21",
        "order-22",
        "order-23",
    ]


# ── Sentry's SDK ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_sdk_with_our_address_is_told_that_there_is_nothing(doors: Doors) -> None:
    before = len(doors.reception.entries())
    client = sentry_sdk.Client(
        dsn=doors.url.replace("http://", "http://key@") + "/1", default_integrations=False
    )
    client.capture_event({"message": "not for you"})
    client.close(timeout=5)
    assert doors.reception.site.counts.answers["pages", "", 404] >= 1
    assert len(doors.reception.entries()) == before
