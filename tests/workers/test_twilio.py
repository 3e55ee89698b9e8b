"""Calls and text messages over Twilio: what is said, and what each refusal means."""

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import twilio_standin
from hypothesis import given
from hypothesis import strategies as st
from notices import HOSTILE, notice
from pydantic import ValidationError
from refusing import every_refusal
from twilio_standin import AUTH_TOKEN, FROM, TwilioStandin, signature
from vendor_server import Misbehaviour, Reply, VendorServer

from routing.delivery import Message, Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Sent
from workers.channels import twilio_sms, twilio_voice


@pytest.fixture
def twilio() -> Iterator[TwilioStandin]:
    with TwilioStandin() as server:
        yield server


def ring(twilio: VendorServer, notification: Notification, timeout_s: float = 2.0, **changes: Any) -> Sent:
    settings = twilio_voice.Settings(**twilio_standin.settings(twilio.url, **changes))
    return twilio_voice.send(notification, settings, timeout_s)


def text(twilio: VendorServer, notification: Notification, timeout_s: float = 2.0, **changes: Any) -> Sent:
    settings = twilio_sms.Settings(**twilio_standin.settings(twilio.url, **changes))
    return twilio_sms.send(notification, settings, timeout_s)


BOTH = pytest.mark.parametrize("send", [ring, text], ids=["call", "sms"])


def twiml(**changes: Any) -> ET.Element:
    settings = twilio_voice.Settings(
        account_sid="AC" + "0" * 32,
        api_key="SK" + "0" * 32,
        api_secret="s",
        from_number=FROM,
    )
    document = twilio_voice.twiml(notice(**changes), settings)
    assert len(document) <= 4000
    return ET.fromstring(document)  # noqa: S314  # made by us


def test_a_call_says_what_broke_and_listens_for_a_key(twilio: TwilioStandin) -> None:
    sent = ring(twilio, notice())
    (made,) = twilio.made
    assert (sent.provider_id, sent.answer) == (made.sid, "201 queued")
    assert (made.to, made.sender) == ("+48500000001", FROM)
    assert made.action == "https://tocsin.example/callbacks/twilio/gather/INC-1-d1?round=1"
    assert made.status_callback == "https://tocsin.example/callbacks/twilio/status/INC-1-d1"
    said = " ".join(ET.fromstring(made.text).itertext())  # noqa: S314  # made by us
    assert "Severity 0. Incident 1. Site is down." in said
    assert "4 to acknowledge, 6 to resolve, 5 to escalate" in said


def test_a_call_without_a_public_url_still_rings_and_asks_for_no_key(twilio: TwilioStandin) -> None:
    ring(twilio, notice(callback_url=""))
    (made,) = twilio.made
    assert (made.action, made.status_callback) == ("", "")
    assert "Site is down" in made.text
    assert "Press" not in made.text


def test_a_repeated_call_says_so() -> None:
    assert "may be a repeat" in " ".join(twiml(repeat=True).itertext())
    assert "repeat" not in " ".join(twiml().itertext())


def test_what_a_payload_wrote_can_only_be_spoken() -> None:
    document = twiml(message=Message(title="t", body="b", speech=HOSTILE))
    assert {each.tag for each in document.iter()} == {"Response", "Gather", "Say"}
    said = " ".join(document.itertext())
    assert "<Dial>+19005550000</Dial>" in said
    assert "ünï 日本 🔥" in said
    assert not {"\x00", "\x1b", "\u202e"} & set(said)


@given(speech=st.text(max_size=6000), delivery=st.from_regex(r"INC-[0-9]{1,9}-d[0-9]{1,4}", fullmatch=True))
def test_any_text_gives_a_document_twilio_takes(speech: str, delivery: str) -> None:
    document = twiml(message=Message(title="t", body="b", speech=speech), delivery=delivery)
    assert "Press 4" in " ".join(document.itertext())


def test_an_update_never_rings_a_phone(twilio: TwilioStandin) -> None:
    with pytest.raises(DeliveryError) as failed:
        ring(twilio, notice(purpose=Purpose.UPDATE))
    assert failed.value.outcome is Outcome.PERMANENT
    assert twilio.calls == []


def test_an_sms_says_what_broke_what_was_tried_and_how_to_answer(twilio: TwilioStandin) -> None:
    text(twilio, notice())
    (made,) = twilio.made
    assert made.text == (
        "[INC-1] SEV-0 Site is down\nAll checks fail.\nTried: rollback, site still down.\n"
        "Reply ack, resolve or escalate.\nhttps://tocsin.example/a/token"
    )


def test_a_long_sms_gives_way_in_the_middle_and_keeps_the_way_to_answer(twilio: TwilioStandin) -> None:
    text(twilio, notice(message=Message(title="[INC-1] SEV-0 Down", body="word " * 1000), repeat=True))
    (made,) = twilio.made
    assert len(made.text) <= 640 + len("..")
    assert made.text.startswith("(May be a repeat.) [INC-1] SEV-0 Down")
    assert "word...\nReply ack, resolve or escalate.\nhttps://tocsin.example/a/token" in made.text


def test_an_sms_that_only_tells_asks_for_no_answer(twilio: TwilioStandin) -> None:
    text(twilio, notice(purpose=Purpose.UPDATE, ack_url=""))
    assert "Reply" not in twilio.made[0].text


def test_an_sms_goes_through_a_messaging_service_when_one_is_set(twilio: TwilioStandin) -> None:
    service = "MG" + "0" * 32
    text(twilio, notice(), messaging_service_sid=service, from_number="")
    assert twilio.made[0].sender == service


@BOTH
@every_refusal()
def test_every_refusal_has_its_class(
    twilio: TwilioStandin, send: Any, how: Misbehaviour, outcome: Outcome
) -> None:
    twilio.misbehave(how)
    with pytest.raises(DeliveryError) as failed:
        send(twilio, notice(), 0.3)
    assert failed.value.outcome is outcome
    assert "standin-api-secret" not in str(failed.value)


@BOTH
@pytest.mark.parametrize(("asked", "wait_ms"), [("7", 7_000), ("date", 7_000)])
def test_too_many_requests_says_how_long_to_wait(
    twilio: TwilioStandin, send: Any, asked: str, wait_ms: int
) -> None:
    twilio.misbehave(Misbehaviour(status=429, retry_after=asked))
    with pytest.raises(DeliveryError) as failed:
        send(twilio, notice())
    assert abs(failed.value.retry_after_ms - wait_ms) <= 1_000
    assert "(20429)" in str(failed.value)


@pytest.mark.parametrize(
    ("send", "to", "code"),
    [
        (ring, "+15005550001", 21217), (ring, "+15005550002", 21214), (ring, "+15005550003", 21215),
        (ring, "+15005550004", 21216), (text, "+15005550001", 21211), (text, "+15005550002", 21612),
        (text, "+15005550003", 21408), (text, "+15005550004", 21610), (text, "+15005550009", 21614),
    ],
)  # fmt: skip
def test_a_number_that_cannot_be_reached_is_permanent(
    twilio: TwilioStandin, send: Any, to: str, code: int
) -> None:
    with pytest.raises(DeliveryError, match=str(code)) as failed:
        send(twilio, notice(to=to))
    assert failed.value.outcome is Outcome.PERMANENT


@pytest.mark.parametrize("code", [20429, 20500, 20503, 30001])
def test_twilios_own_trouble_may_be_repeated_whatever_the_status(code: int) -> None:
    with VendorServer(lambda _: Reply(400, {"code": code, "message": "busy"})) as vendor:
        with pytest.raises(DeliveryError) as failed:
            text(vendor, notice())
        assert failed.value.outcome is Outcome.TEMPORARY


def test_a_message_that_is_taken_and_failed_at_once_is_no_success() -> None:
    body = {"sid": "SM1", "status": "failed", "error_code": 21610, "error_message": "unsubscribed"}
    with VendorServer(lambda _: Reply(201, body)) as vendor:
        with pytest.raises(DeliveryError, match="opted out") as failed:
            text(vendor, notice())
        assert failed.value.outcome is Outcome.PERMANENT


@BOTH
def test_a_wrong_key_is_permanent_and_says_what_to_check(twilio: TwilioStandin, send: Any) -> None:
    with pytest.raises(DeliveryError, match=r"20003.*api_secret in config/channels\.yaml") as failed:
        send(twilio, notice(), api_secret="wrong-secret")
    assert failed.value.outcome is Outcome.PERMANENT
    assert "wrong-secret" not in str(failed.value)


@BOTH
def test_an_answer_that_comes_twice_is_one_call_and_the_next_one_is_unharmed(
    twilio: TwilioStandin, send: Any
) -> None:
    twilio.misbehave(Misbehaviour(twice=True))
    first, second = send(twilio, notice()), send(twilio, notice(delivery="INC-1-d2"))
    assert [made.sid for made in twilio.made] == [first.provider_id, second.provider_id]


@BOTH
def test_a_callback_address_twilio_dislikes_does_not_cost_the_page(twilio: TwilioStandin, send: Any) -> None:
    sent = send(twilio, notice(callback_url="http://our_host/callbacks"))
    assert [made.sid for made in twilio.made] == [sent.provider_id]
    assert twilio.made[0].status_callback == ""
    assert len(twilio.calls) == 2


def test_nobody_listening_is_temporary() -> None:
    with TwilioStandin() as gone:
        pass
    with pytest.raises(DeliveryError) as failed:
        ring(gone, notice())
    assert failed.value.outcome is Outcome.TEMPORARY


@pytest.mark.parametrize(
    ("module", "changes"),
    [
        (twilio_voice, {"account_sid": "nonsense"}),
        (twilio_voice, {"api_key": "AC" + "0" * 32}),
        (twilio_voice, {"from_number": ""}),
        (twilio_voice, {"from_number": "12345"}),
        (twilio_voice, {"base_url": "api.twilio.com"}),
        (twilio_voice, {"auth_token": "x"}),
        (twilio_sms, {"from_number": ""}),
        (twilio_sms, {"max_chars": 5000}),
    ],
)
def test_settings_that_cannot_work_are_refused(
    twilio: TwilioStandin, module: Any, changes: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        module.Settings(**twilio.settings(**changes))


def test_settings_do_not_show_the_secret(twilio: TwilioStandin) -> None:
    assert "standin-api-secret" not in repr(twilio_voice.Settings(**twilio.settings()))


def test_the_preview_is_what_would_be_sent(twilio: TwilioStandin) -> None:
    shown = twilio_voice.preview(notice(), twilio_voice.Settings(**twilio.settings()))
    ring(twilio, notice())
    assert shown["Twiml"] == twilio.made[0].text
    assert shown["To"] == "+48500000001"
    assert "standin-api-secret" not in str(shown)
    assert twilio_sms.preview(notice(), twilio_sms.Settings(**twilio.settings()))["Body"]


def test_the_standin_signs_as_twilio_documents() -> None:
    """The example of twilio.com/docs/usage/security."""
    form = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309",
        "To": "+18005551212",
    }  # fmt: skip
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature(url, form, "12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_the_standin_calls_back_before_it_answers_when_told_to() -> None:
    with VendorServer() as receiver, TwilioStandin(receiver=receiver.url) as twilio:
        twilio.report_first = "completed"
        sent = ring(twilio, notice())
        (call,) = receiver.calls
        assert call.path == "/callbacks/twilio/status/INC-1-d1"
        assert call.form["CallSid"] == sent.provider_id
        url = "https://tocsin.example/callbacks/twilio/status/INC-1-d1"
        assert call.headers["x-twilio-signature"] == signature(url, call.form, AUTH_TOKEN)
        assert twilio.press(sent.provider_id, "4") == 200
        assert receiver.calls[1].form["Digits"] == "4"
