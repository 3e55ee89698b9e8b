"""What mail providers call back with: receipts, each once; forgeries and replays change nothing."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import signing
from reception import Reception, running
from redis import Redis

from ledger import standard_webhooks
from ledger.settings import LedgerSettings
from receiver.settings import ReceiverSettings
from routing.entry import Lane, Receipt

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MAIL = "49a3999c-0ce1-4ea6-ab68-000000000001"


def resend_event(kind: str, **data: Any) -> dict[str, Any]:
    told = {
        "email_id": MAIL, "from": "Tocsin <tocsin@example.com>", "to": ["anna@example.com"], "subject": "x",
        "created_at": "2026-11-28T02:30:00.000Z", "tags": {"delivery": "INC-12-d3", "incident": "INC-12"},
    }  # fmt: skip
    return {"type": kind, "created_at": "2026-11-28T02:30:05.000Z", "data": told | data}


def by_resend(
    reception: Reception, event: Any, name: str = "msg_1", at: int | None = None, prefix: str = "svix",
    secret: str = SECRET,
) -> httpx2.Response:  # fmt: skip
    body = json.dumps(event).encode()
    at_s = int(time.time()) if at is None else at
    headers = {
        f"{prefix}-id": name,
        f"{prefix}-timestamp": str(at_s),
        f"{prefix}-signature": standard_webhooks.sign([secret], name, at_s, body),
    }
    return reception.post("/callbacks/resend", body, headers)


def sendgrid_event(kind: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "email": "anna@example.com", "timestamp": 1764297000, "event": kind, "sg_event_id": f"e{number}",
        "sg_message_id": "14c5d75ce93.dfd.00000001.recvd-7f-x.0", "tocsin-delivery": "INC-12-d3",
        "tocsin-mail": "INC-12-d3.a1.0123456789abcdef", **more,
    }  # fmt: skip


def by_sendgrid(
    reception: Reception, *events: Any, number: int = signing.NUMBER, age_s: int = 0
) -> httpx2.Response:
    body = json.dumps(events).encode() + b"\r\n"
    at = str(int(time.time()) - age_s)
    headers = {
        "content-type": "application/json",
        "x-twilio-email-event-webhook-timestamp": at,
        "x-twilio-email-event-webhook-signature": signing.sign(at.encode() + body, number),
    }
    return reception.post("/callbacks/sendgrid", body, headers)


def receipts(reception: Reception) -> list[Receipt]:
    return [entry for entry in reception.entries(Lane.CONTROL) if isinstance(entry, Receipt)]


@pytest.mark.parametrize(
    ("kind", "data", "status", "detail"),
    [
        ("email.delivered", {}, "delivered", ""),
        (
            "email.bounced",
            {
                "bounce": {
                    "type": "Permanent",
                    "subType": "NoEmail",
                    "message": "no such mailbox",
                    "diagnosticCode": [],
                }
            },
            "bounced",
            "Permanent NoEmail: no such mailbox",
        ),
        (
            "email.suppressed",
            {
                "suppressed": {
                    "type": "Suppressed",
                    "reason": "previous_bounce",
                    "message": "it bounced before",
                }
            },
            "bounced",
            "Suppressed previous_bounce: it bounced before",
        ),
        ("email.failed", {"failed": {"reason": "reached_daily_quota"}}, "failed", "reached_daily_quota"),
        ("email.complained", {}, "complained", ""),
    ],
)
def test_what_resend_tells_becomes_a_receipt(
    reception: Reception, kind: str, data: dict[str, Any], status: str, detail: str
) -> None:
    assert by_resend(reception, resend_event(kind, **data)).status_code == 200
    (receipt,) = receipts(reception)
    assert (receipt.delivery, receipt.status, receipt.detail) == ("INC-12-d3", status, detail)
    assert (receipt.provider_id, receipt.by) == (MAIL, "resend")


@pytest.mark.parametrize(
    ("kind", "more", "status", "detail"),
    [
        ("delivered", {"response": "250 OK"}, "delivered", ""),
        ("bounce", {"type": "bounce", "status": "5.1.1", "reason": "550 no such user"}, "bounced",
         "bounce 5.1.1 550 no such user"),
        ("bounce", {"type": "blocked", "reason": "554 spam"}, "bounced", "blocked 554 spam"),
        ("dropped", {"reason": "Bounced Address", "status": "5.0.0"}, "bounced", "5.0.0 Bounced Address"),
        ("spamreport", {}, "complained", ""),
    ],
)  # fmt: skip
def test_what_sendgrid_tells_becomes_a_receipt(
    reception: Reception, kind: str, more: dict[str, Any], status: str, detail: str
) -> None:
    assert by_sendgrid(reception, sendgrid_event(kind, **more)).status_code == 200
    (receipt,) = receipts(reception)
    assert (receipt.delivery, receipt.status, receipt.detail) == ("INC-12-d3", status, detail)
    assert (receipt.provider_id, receipt.by) == ("INC-12-d3.a1.0123456789abcdef", "sendgrid")


@pytest.mark.parametrize(
    "kind", ["email.sent", "email.delivery_delayed", "email.opened", "contact.created", ""]
)
def test_what_else_resend_tells_is_taken_and_changes_nothing(reception: Reception, kind: str) -> None:
    assert by_resend(reception, resend_event(kind)).status_code == 200
    assert receipts(reception) == []


def test_sendgrid_tells_many_things_at_once_and_each_counts_once(reception: Reception) -> None:
    told = [
        sendgrid_event(kind, number)
        for number, kind in enumerate(["processed", "deferred", "delivered", "open"])
    ]
    told.append(sendgrid_event("bounce", 9, **{"tocsin-delivery": "INC-13-d1"}))
    for _ in range(3):
        assert by_sendgrid(reception, *told).status_code == 200
    assert [(each.delivery, each.status) for each in receipts(reception)] == [
        ("INC-12-d3", "delivered"), ("INC-13-d1", "bounced"),
    ]  # fmt: skip


def test_what_resend_sends_again_is_one_receipt_and_headers_of_either_name_count(
    reception: Reception,
) -> None:
    for prefix in ("svix", "webhook"):
        assert by_resend(reception, resend_event("email.bounced"), prefix=prefix).status_code == 200
    assert len(receipts(reception)) == 1


def test_tags_are_read_in_both_forms_resend_has_had(reception: Reception) -> None:
    tags = [{"name": "delivery", "value": "INC-14-d1"}]
    by_resend(reception, resend_event("email.delivered", tags=tags))
    assert receipts(reception)[0].delivery == "INC-14-d1"


@pytest.mark.parametrize(
    "tags", [{}, [], None, "x/y", {"delivery": 7}, {"delivery": "../../x"}, {"delivery": "x" * 99}]
)
def test_a_mail_that_is_not_ours_changes_nothing(reception: Reception, tags: Any) -> None:
    assert by_resend(reception, resend_event("email.bounced", tags=tags)).status_code == 200
    other = sendgrid_event("bounce", **{"tocsin-delivery": tags})
    assert by_sendgrid(reception, other).status_code == 200
    assert receipts(reception) == []


def test_forgeries_and_replays_change_nothing(reception: Reception) -> None:
    event = resend_event("email.bounced")
    now = int(time.time())
    answers = [
        by_resend(reception, event, secret="whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"),
        by_resend(reception, event, at=now - 600),
        by_resend(reception, event, at=now + 600),
        reception.post("/callbacks/resend", json.dumps(event).encode(), {}),
        by_sendgrid(reception, sendgrid_event("bounce"), number=5),
        by_sendgrid(reception, sendgrid_event("bounce"), age_s=200_000),
        reception.post("/callbacks/sendgrid", json.dumps([sendgrid_event("bounce")]).encode(), {}),
    ]
    assert [answer.status_code for answer in answers] == [401] * 7
    assert all(set(answer.json()) == {"error", "hint"} for answer in answers)
    assert reception.entries() == []


@pytest.mark.parametrize("body", [[], "x", 7, None])
def test_an_authentic_body_that_is_nothing_is_refused(reception: Reception, body: Any) -> None:
    assert by_resend(reception, body).status_code == 400


def test_a_batch_as_large_as_sendgrid_sends_them_is_taken(reception: Reception) -> None:
    many = [sendgrid_event("processed", number, reason="x" * 300) for number in range(1200)]
    assert by_sendgrid(reception, *many, sendgrid_event("delivered", 9999)).status_code == 200
    assert len(receipts(reception)) == 1


def test_without_secrets_nothing_is_taken(redis: Redis, redis_url: str) -> None:
    settings = ReceiverSettings(
        ledger=LedgerSettings(redis_url=redis_url), public_url="https://tocsin.example"
    )
    with running(redis, redis_url, settings=settings) as unarmed:
        assert by_resend(unarmed, resend_event("email.bounced")).status_code == 503
        assert by_sendgrid(unarmed, sendgrid_event("bounce")).status_code == 503
        assert unarmed.entries() == []


def test_forgeries_in_great_number_are_refused_and_keep_nobody_else_waiting(reception: Reception) -> None:
    """Each costs milliseconds to check: only so many wait for it."""
    body, at = b"[]", str(int(time.time()))
    headers = {
        "x-twilio-email-event-webhook-timestamp": at,
        "x-twilio-email-event-webhook-signature": signing.sign(b"something else"),
    }
    with ThreadPoolExecutor(40) as pool:
        forged = [pool.submit(reception.post, "/callbacks/sendgrid", body, headers) for _ in range(120)]
        assert by_resend(reception, resend_event("email.delivered")).status_code == 200
        answers = [each.result() for each in forged]
    assert {answer.status_code for answer in answers} <= {401, 503}
    assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 503)
    assert by_sendgrid(reception, sendgrid_event("delivered")).status_code == 200
