"""Every channel says what it must, and knows what each refusal means."""

import socket
import threading
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from aiosmtpd.controller import Controller
from vendor import Asked, Reply, Vendor, serving

from routing.delivery import Message, Purpose
from routing.entry import Delivered, Outcome, decode_entry, encode_entry
from routing.errors import DeliveryError
from routing.ports import Notification
from routing.severity import Severity
from workers.channels import email, sandbox, twilio_sms, twilio_voice

SID = "AC" + "0" * 32
ACCOUNT = {"account_sid": SID, "api_key": "SK" + "1" * 32, "api_secret": "shh", "from_number": "+15005550006"}


def notification(**changes: Any) -> Notification:
    fields: dict[str, Any] = {
        "delivery": "INC-1-d1",
        "incident": "INC-1",
        "to": "+48500000001",
        "purpose": Purpose.PAGE,
        "severity": Severity.SEV0,
        "message": Message(
            title="[INC-1] SEV-0 Site is down",
            body="Site is down.\nTried: rollback.",
            speech="The site is down & <burning>.",
        ),
        "attempt": 1,
        "repeat": False,
        "ack_url": "https://tocsin.example/a/token",
        "callback_url": "https://tocsin.example/callbacks",
    }
    return Notification(**{**fields, **changes})


def as_twilio(asked: Asked) -> Reply:
    """Refuses what Twilio refuses: a wrong user, a missing To or From."""
    if asked.user != f"{ACCOUNT['api_key']}:shh":
        return Reply(401, {"code": 20003, "message": "Authenticate", "status": 401})
    if not {"To", "From"} <= asked.form.keys():
        return Reply(400, {"code": 21201, "message": "No 'To' number is specified", "status": 400})
    return Reply(201, {"sid": "CA" + "2" * 32, "status": "queued"})


@pytest.fixture
def twilio() -> Iterator[Vendor]:
    with serving(as_twilio) as vendor:
        yield vendor


def voice(vendor: Vendor, **changes: Any) -> Any:
    settings = twilio_voice.Settings(**{**ACCOUNT, "base_url": vendor.url, **changes})
    return twilio_voice.send(notification(), settings, 2.0)


def test_a_call_says_what_broke_and_asks_for_a_key(twilio: Vendor) -> None:
    assert voice(twilio).provider_id == "CA" + "2" * 32
    (asked,) = twilio.log
    assert asked.path == f"/2010-04-01/Accounts/{SID}/Calls.json"
    twiml = ET.fromstring(asked.form["Twiml"])  # noqa: S314  # made by us
    gather = twiml.find("Gather")
    assert gather is not None
    assert gather.get("action") == "https://tocsin.example/callbacks/twilio/gather/INC-1-d1"
    said = " ".join(twiml.itertext())
    assert "The site is down" in said
    assert "4" in said
    assert asked.form["StatusCallback"] == "https://tocsin.example/callbacks/twilio/status/INC-1-d1"


def test_an_sms_says_how_to_answer(twilio: Vendor) -> None:
    settings = twilio_sms.Settings(**{**ACCOUNT, "base_url": twilio.url})
    twilio_sms.send(notification(), settings, 2.0)
    body = twilio.log[0].form["Body"]
    assert "Site is down" in body
    assert "ack" in body
    assert len(body) <= settings.max_chars


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(401, {"code": 20003}), Outcome.PERMANENT),
        (Reply(404, {"code": 20404}), Outcome.PERMANENT),
        (Reply(400, {"code": 21211}), Outcome.PERMANENT),
        (Reply(429, {"code": 20429}, {"Retry-After": "7"}), Outcome.TEMPORARY),
        (Reply(500, b"oops"), Outcome.TEMPORARY),
        (Reply(503, {}), Outcome.TEMPORARY),
        (Reply(201, b"<html>garbage"), Outcome.UNKNOWN),
        (Reply(201, {"sid": "CA1"}, {}, 1.0), Outcome.UNKNOWN),
    ],
    ids=["401", "404", "bad number", "429", "500", "503", "garbage", "timeout"],
)
def test_each_refusal_of_twilio_has_its_class(reply: Reply, outcome: Outcome) -> None:
    with serving(lambda _: reply) as vendor:
        settings = twilio_voice.Settings(**{**ACCOUNT, "base_url": vendor.url})
        with pytest.raises(DeliveryError) as failed:
            twilio_voice.send(notification(), settings, 0.4)
    assert failed.value.outcome is outcome
    if reply.headers:
        assert failed.value.retry_after_ms == 7000
    assert "shh" not in str(failed.value)


def test_an_update_never_rings_a_phone(twilio: Vendor) -> None:
    settings = twilio_voice.Settings(**{**ACCOUNT, "base_url": twilio.url})
    with pytest.raises(DeliveryError) as failed:
        twilio_voice.send(notification(purpose=Purpose.UPDATE), settings, 1.0)
    assert failed.value.outcome is Outcome.PERMANENT
    assert twilio.log == []


class _Box:
    def __init__(self, refuse: str = "") -> None:
        self.refuse = refuse
        self.mails: list[bytes] = []
        self.came = threading.Event()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        if self.refuse:
            return self.refuse
        self.mails.append(envelope.content)
        self.came.set()
        return "250 kept"


@pytest.mark.parametrize(
    ("refuse", "outcome"),
    [("", None), ("451 later", Outcome.TEMPORARY), ("550 no such user", Outcome.PERMANENT)],
)
def test_mail_is_a_real_conversation_and_its_refusals_have_their_class(
    refuse: str, outcome: Outcome | None
) -> None:
    box = _Box(refuse)
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        settings = email.Settings(
            host="127.0.0.1", port=port, security="none", from_address="tocsin@example.com"
        )
        if outcome is not None:
            with pytest.raises(DeliveryError) as failed:
                email.send(notification(to="anna@example.com"), settings, 5.0)
            assert failed.value.outcome is outcome
            return
        sent = email.send(notification(to="anna@example.com"), settings, 5.0)
        assert box.came.wait(5)
        delivered = Delivered(
            at=1, delivery="INC-1-d1", attempt=1, outcome=Outcome.OK, provider_id=sent.provider_id
        )
        assert decode_entry(encode_entry(delivered)) == delivered, "its result must fit into the log"
        assert b"https://tocsin.example/a/token" in box.mails[0]
        assert b"Subject: [INC-1] SEV-0 Site is down" in box.mails[0]
    finally:
        server.stop()


def test_the_sandbox_shows_and_never_sends() -> None:
    shown = sandbox.preview(notification(), sandbox.Settings())
    assert shown["To"] == "+48500000001"
    with pytest.raises(DeliveryError):
        sandbox.send(notification(), sandbox.Settings(), 1.0)
