"""What Twilio calls back with."""

from dataclasses import replace

import pytest
from calling_back import PUBLIC, call, signature
from reception import Reception, running
from redis import Redis

from ledger.settings import LedgerSettings
from receiver import twilio_signature
from receiver.settings import ReceiverSettings
from routing.entry import Answer, Lane, Receipt
from routing.errors import BadSignature

TOKENS = {"TWILIO_AUTH_TOKEN": ("12345",)}
VECTOR = {
    "CallSid": "CA1234567890ABCDE", "Digits": "1234", "From": "+14158675309", "Caller": "+14158675309",
    "To": "+18005551212",
}  # fmt: skip
VECTOR_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"


def test_the_published_vector_verifies() -> None:
    headers = {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
    twilio_signature.verify(VECTOR_URL, VECTOR.items(), headers, ["67890", "12345"])
    with_port = VECTOR_URL.replace("mycompany.com", "mycompany.com:443")
    twilio_signature.verify(with_port, VECTOR.items(), headers, ["12345"])


@pytest.mark.parametrize(
    ("headers", "secrets"),
    [
        ({}, ["12345"]),
        ({"x-twilio-signature": ""}, ["12345"]),
        ({"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}, ["other"]),
        ({"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}, []),
        ({"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=\xe9"}, ["12345"]),
        (
            {
                "x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
                "x-twilio-webhooks-signature-settings": "key=k,algorithm=HMAC_SHA256",
            },
            ["12345"],
        ),
        (
            {
                "x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
                "x-twilio-webhooks-signature-settings": "key=k,algorithm=NONE",
            },
            ["12345"],
        ),
    ],
)
def test_anything_else_does_not(headers: dict[str, str], secrets: list[str]) -> None:
    with pytest.raises(BadSignature):
        twilio_signature.verify(VECTOR_URL, VECTOR.items(), headers, secrets)


def test_a_key_pressed_becomes_an_answer_in_the_control_lane(reception: Reception) -> None:
    answer = call(reception, "/callbacks/twilio/gather/INC-12-d3", {"CallSid": "CA1", "Digits": "4"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert "acknowledged" in answer.text
    [entry] = reception.entries(Lane.CONTROL)
    assert isinstance(entry, Answer)
    assert (entry.delivery, entry.text) == ("INC-12-d3", "4")


@pytest.mark.parametrize(
    ("digits", "said"),
    [("6", "resolved"), ("5", "next person"), ("9", "means nothing"), ("", "No key was pressed")],
)
def test_the_caller_hears_what_was_noted(reception: Reception, digits: str, said: str) -> None:
    assert (
        said
        in call(reception, "/callbacks/twilio/gather/INC-1-d1", {"CallSid": "CA1", "Digits": digits}).text
    )


def test_the_same_key_of_the_same_call_is_one_answer(reception: Reception) -> None:
    for _ in range(3):
        call(reception, "/callbacks/twilio/gather/INC-12-d3", {"CallSid": "CA1", "Digits": "5"})
    assert len(reception.entries()) == 1


@pytest.mark.parametrize(
    ("form", "status", "sid"),
    [
        ({"CallSid": "CA1", "CallStatus": "no-answer"}, "no-answer", "CA1"),
        ({"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "39999"}, "undelivered", "SM1"),
    ],
)
def test_how_it_went_becomes_a_receipt(
    reception: Reception, form: dict[str, str], status: str, sid: str
) -> None:
    assert call(reception, "/callbacks/twilio/status/INC-12-d3", form).status_code == 200
    [entry] = reception.entries(Lane.CONTROL)
    assert isinstance(entry, Receipt)
    assert (entry.delivery, entry.status, entry.provider_id) == ("INC-12-d3", status, sid)
    assert entry.detail == form.get("ErrorCode", "")


def test_an_sms_becomes_an_answer_of_its_number(reception: Reception) -> None:
    form = {"MessageSid": "SM9", "From": "+48500100200", "Body": "ack 12 zażółć", "To": "+48500"}
    answer = call(reception, "/callbacks/twilio/sms", form)
    assert answer.status_code == 200
    assert "<Response></Response>" in answer.text
    [entry] = reception.entries(Lane.CONTROL)
    assert isinstance(entry, Answer)
    assert (entry.address, entry.text, entry.delivery) == ("+48500100200", "ack 12 zażółć", "")


@pytest.mark.parametrize(("understood", "texts"), [("STOP", ["STOP"]), ("START", ["START"]), ("HELP", [])])
def test_twilios_own_list_of_who_has_opted_out_is_believed(
    reception: Reception, understood: str, texts: list[str]
) -> None:
    form = {"MessageSid": "SM9", "From": "+48500100200", "Body": "arrêt", "OptOutType": understood}
    assert call(reception, "/callbacks/twilio/sms", form).status_code == 200
    assert [entry.text for entry in reception.entries(Lane.CONTROL) if isinstance(entry, Answer)] == texts


def test_a_message_that_is_played_again_is_one_answer(reception: Reception) -> None:
    form = {"MessageSid": "SM9", "From": "+48500100200", "Body": "ack"}
    for _ in range(3):
        assert call(reception, "/callbacks/twilio/sms", form).status_code == 200
    assert len(reception.entries()) == 1


def test_a_query_belongs_to_what_is_signed(reception: Reception) -> None:
    path, form = "/callbacks/twilio/sms?n=1", {"MessageSid": "SM9", "From": "+1", "Body": "ack"}
    assert call(reception, path, form).status_code == 200


def test_sha256_is_verified_when_twilio_says_so(reception: Reception) -> None:
    path, form = "/callbacks/twilio/sms", {"MessageSid": "SM9", "From": "+1", "Body": "ack"}
    good = {
        "x-twilio-signature": signature(PUBLIC + path, form.items(), "67890", "sha256"),
        "x-twilio-webhooks-signature-settings": "key=shared,algorithm=HMAC_SHA256",
    }
    assert call(reception, path, form, **good).status_code == 200


def test_the_host_header_is_not_believed(reception: Reception) -> None:
    path, form = "/callbacks/twilio/sms", {"MessageSid": "SM9", "From": "+1", "Body": "ack"}
    forged = signature("https://evil.example" + path, form.items(), "12345")
    assert (
        call(reception, path, form, host="evil.example", **{"x-twilio-signature": forged}).status_code == 401
    )
    assert call(reception, path, form, host="evil.example").status_code == 200


def test_what_is_not_signed_changes_nothing(reception: Reception) -> None:
    for headers in ({}, {"x-twilio-signature": "AAAA"}):
        answer = reception.post("/callbacks/twilio/gather/INC-1-d1", b"Digits=4", headers)
        assert answer.status_code == 401
        assert set(answer.json()) == {"error", "hint"}
    assert reception.entries() == []


@pytest.mark.parametrize("body", [b"x" * 100_000, b"a=%ff" + b"&b=1" * 300, b"\xff\xfe"])
def test_bodies_that_are_no_callback_are_refused(reception: Reception, body: bytes) -> None:
    assert reception.post("/callbacks/twilio/sms", body, {"x-twilio-signature": "AAAA"}).status_code in {
        400,
        413,
    }


def test_unknown_paths_and_odd_ids_are_not_found(reception: Reception) -> None:
    for path in ("/callbacks/twilio", "/callbacks/other/sms", "/callbacks/twilio/gather/a%22b"):
        answer = reception.post(path, b"")
        assert answer.status_code == 404
        assert answer.json()["hint"]


@pytest.mark.parametrize("change", [{"callback_secrets": {}}, {"public_url": "", "callback_secrets": TOKENS}])
def test_without_a_secret_or_a_public_url_nothing_is_taken(
    redis: Redis, redis_url: str, change: dict[str, object]
) -> None:
    from reception import POLICY

    settings = ReceiverSettings(
        LedgerSettings(redis_url=redis_url), public_url=PUBLIC, callback_secrets=TOKENS
    )
    settings = replace(settings, **change)  # type: ignore[arg-type]
    with running(redis, redis_url, settings=settings, policy=replace(POLICY, public_url="")) as reception:
        answer = call(reception, "/callbacks/twilio/sms", {"From": "+1", "Body": "ack"})
        assert answer.status_code == 503
        assert reception.entries() == []


def test_the_code_of_a_test_is_taken_and_nothing_is_said_of_whether_it_is_right(reception: Reception) -> None:
    answer = call(
        reception, "/callbacks/twilio/gather/test-0123456789", {"CallSid": "CA1", "Digits": "123456"}
    )
    assert "<Say" not in answer.text
    (entry,) = reception.entries()
    assert isinstance(entry, Answer)
    assert (entry.delivery, entry.text) == ("test-0123456789", "123456")
