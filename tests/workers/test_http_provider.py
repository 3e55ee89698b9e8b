"""A provider by configuration: what it is sent, how its answer reads, and what each refusal means."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from gateway_standin import SECRET, SMS, TOKEN, GatewayStandin
from notices import HOSTILE, notice
from pydantic import ValidationError
from refusing import every_refusal
from small_policy import POLICY
from vendor_server import Asked, Misbehaviour, Reply, VendorServer

from ledger import links
from ledger.clock import now_ms
from routing.delivery import Message, Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Sent
from routing.response.phrases import phrases
from routing.schema.fitting import misfits
from workers import sms
from workers.channels import http_sms, http_voice


@pytest.fixture
def gateway() -> Iterator[GatewayStandin]:
    with GatewayStandin() as server:
        yield server


def text(gateway: GatewayStandin, notification: Notification, timeout_s: float = 2.0, **changes: Any) -> Sent:
    return http_sms.send(notification, http_sms.Settings(**gateway.sms(**changes)), timeout_s)


def ring(gateway: GatewayStandin, notification: Notification, timeout_s: float = 2.0, **changes: Any) -> Sent:
    return http_voice.send(notification, http_voice.Settings(**gateway.voice(**changes)), timeout_s)


BOTH = pytest.mark.parametrize("send", [text, ring], ids=["sms", "call"])


def of(channel: str = "gate", **changes: Any) -> Notification:
    return notice(channel=channel, **changes)


def test_a_text_is_sent_as_configured_and_its_id_read_from_the_answer(gateway: GatewayStandin) -> None:
    sent = text(gateway, of())
    (taken,) = gateway.taken
    assert (sent.provider_id, sent.answer) == (taken.id, "202")
    assert taken.fields["to"] == "48500000001"
    assert taken.fields["reference"] == "INC-1-d1"
    assert taken.fields["text"].endswith("Reply ack, resolve or escalate.\nhttps://tocsin.example/a/token")


@BOTH
def test_the_address_for_receipts_is_this_deliverys_and_signed(gateway: GatewayStandin, send: Any) -> None:
    send(gateway, of())
    base, _, token = gateway.taken[0].fields["report_to"].rpartition("/")
    assert base == "https://tocsin.example/callbacks/provider/gate/receipts"
    assert links.read(SECRET, token, now_ms()) == "INC-1-d1"


@pytest.mark.parametrize(
    ("changes", "settings"),
    [({"callback_url": ""}, {}), ({}, {"callback_secret": ""}), ({"channel": ""}, {})],
)
def test_nothing_is_called_back_that_could_not_be_checked(
    gateway: GatewayStandin, changes: dict[str, Any], settings: dict[str, Any]
) -> None:
    ring(gateway, of(**changes), **settings)
    fields = gateway.taken[0].fields
    assert (fields["report_to"], fields["keys_to"]) == ("", "")
    assert fields["say"].endswith(phrases("").elsewhere)


def test_a_call_speaks_the_persons_language_and_names_the_keys_in_it(gateway: GatewayStandin) -> None:
    anna = replace(POLICY.contacts["anna"], language="pl-PL", voice="Ewa")
    ring(gateway, of(person=anna, run="INC-1-r1", repeat=True), language="en-GB", voice="Amy")
    fields, said = gateway.taken[0].fields, phrases("pl")
    assert (fields["language"], fields["voice"]) == ("pl-PL", "Ewa")
    assert fields["say"] == (
        f"{said.repeat} Tocsin. Severity 0. Incident 1. Site is down. {said.decide} {said.keys}"
    )


def test_an_update_never_rings_a_phone(gateway: GatewayStandin) -> None:
    with pytest.raises(DeliveryError) as failed:
        ring(gateway, of(purpose=Purpose.UPDATE))
    assert failed.value.outcome is Outcome.PERMANENT
    assert gateway.calls == []


def test_a_long_text_goes_out_in_parts_whose_ids_are_kept(gateway: GatewayStandin) -> None:
    body = " ".join(["przełączenie"] * 60)
    sent = text(gateway, of(message=Message(title="t", body=body)), max_chars=1600)
    assert [taken.fields["text"][:4] for taken in gateway.taken] == ["1/3 ", "2/3 ", "3/3 "]
    assert sent.provider_id == "g1 g2 g3"
    assert all(sms.segments(taken.fields["text"]) <= sms.PART_SEGMENTS for taken in gateway.taken)


@BOTH
@every_refusal(not_ok=Outcome.PERMANENT)
def test_every_refusal_has_its_class(
    gateway: GatewayStandin, send: Any, how: Misbehaviour, outcome: Outcome
) -> None:
    gateway.misbehave(how)
    with pytest.raises(DeliveryError) as failed:
        send(gateway, of(), 0.3)
    assert failed.value.outcome is outcome
    assert TOKEN not in str(failed.value)


@BOTH
def test_too_many_requests_says_how_long_to_wait_and_what_the_gateway_said(
    gateway: GatewayStandin, send: Any
) -> None:
    gateway.misbehave(Misbehaviour(status=429, retry_after="7"))
    with pytest.raises(DeliveryError, match="scripted 429") as failed:
        send(gateway, of())
    assert failed.value.retry_after_ms == 7_000


@pytest.mark.parametrize(
    ("settings", "status", "outcome"),
    [
        ({"temporary": [409]}, 409, Outcome.TEMPORARY),
        ({"permanent": [500]}, 500, Outcome.PERMANENT),
        ({"busy": "code == `1`"}, 403, Outcome.TEMPORARY),
    ],
)
def test_a_status_may_mean_something_else_here(
    gateway: GatewayStandin, settings: dict[str, Any], status: int, outcome: Outcome
) -> None:
    gateway.misbehave(Misbehaviour(status=status))
    with pytest.raises(DeliveryError) as failed:
        text(gateway, of(), **settings)
    assert failed.value.outcome is outcome


@pytest.mark.parametrize(
    ("code", "outcome", "opted_out"),
    [(9, Outcome.TEMPORARY, False), (7, Outcome.PERMANENT, False), (4, Outcome.PERMANENT, True)],
)
def test_a_no_with_200_is_no_success(code: int, outcome: Outcome, *, opted_out: bool) -> None:
    with VendorServer(lambda _: Reply(200, {"code": code, "explained": "no"})) as vendor:
        settings = http_sms.Settings(url=vendor.url, **SMS)
        with pytest.raises(DeliveryError, match="no") as failed:
            http_sms.send(of(), settings, 2.0)
    assert (failed.value.outcome, failed.value.opted_out) == (outcome, opted_out)


def test_taken_without_an_id_where_one_belongs_is_not_certain() -> None:
    with VendorServer(lambda _: Reply(200, {"code": 0})) as vendor:
        settings = http_sms.Settings(url=vendor.url, **SMS)
        with pytest.raises(DeliveryError, match=r"message\.id") as failed:
            http_sms.send(of(), settings, 2.0)
    assert failed.value.outcome is Outcome.UNKNOWN


def asked_of(settings: dict[str, Any], reply: Reply | None = None) -> tuple[Asked, Sent]:
    seen: list[Asked] = []

    def answer(asked: Asked) -> Reply:
        seen.append(asked)
        return reply or Reply(200, b"OK 4711")

    with VendorServer(answer) as vendor:
        made = http_sms.Settings(url=f"{vendor.url}/send", **settings)
        sent = http_sms.send(of(), made, 2.0)
        return seen[0], sent


PLAIN = {"to": "{{ to }}", "msg": "{{ text }}", "n": "{{ attempt }}"}


def test_a_form_and_an_answer_in_plain_text_will_do() -> None:
    asked, sent = asked_of(
        {"format": "form", "fields": PLAIN, "accepted": "starts_with(text, 'OK')", "id": "text"}
    )
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.field("to") == "+48500000001"
    assert "Site is down" in asked.field("msg")
    assert sent.provider_id == "OK 4711"


def test_a_get_with_everything_in_its_address_will_do() -> None:
    asked, sent = asked_of({"method": "GET", "format": "query", "fields": PLAIN})
    assert (asked.method, asked.query["to"], asked.body) == ("GET", ["+48500000001"], b"")
    assert sent.provider_id == "INC-1-d1", "its own name, where the provider gives none"


def test_headers_and_basic_authentication_are_sent() -> None:
    headers = {"X-Key": "k1", "Idempotency-Key": "{{ delivery }}-{{ attempt }}"}
    asked, _ = asked_of({"fields": PLAIN, "headers": headers, "username": "u", "password": "p"})
    assert (asked.headers["x-key"], asked.headers["idempotency-key"]) == ("k1", "INC-1-d1-1")
    assert asked.user == ("u", "p")


def test_what_a_payload_wrote_stays_text_in_its_field(gateway: GatewayStandin) -> None:
    message = Message(title=f'", "to": "19005550000 {HOSTILE}', body="{{ to }}", speech=HOSTILE)
    text(gateway, of(message=message))
    ring(gateway, of(message=message))
    assert [taken.fields["to"] for taken in gateway.taken] == ["48500000001"] * 2
    assert "{{ to }}" in gateway.taken[0].fields["text"], "a placeholder of a payload is not filled"
    assert all("\x00" not in json.dumps(taken.fields) for taken in gateway.taken)


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "sms.example.com"},
        {"method": "GET"},
        {"format": "form", "fields": {"to": {"number": "{{ to }}"}}},
        {"fields": {}},
        {"fields": {"to": "{{ number }}"}},
        {"headers": {"X-Id": "{{ ids }}"}},
        {"id": "message.["},
        {"receipts": {"status": "state", "words": {"OK": "arrived"}}},
        {"receipts": {"status": "state", "words": {}}},
        {"replies": {"sender": "from"}},
        {"signature": {"header": "X", "algorithm": "md5"}},
        {"tokn": "x"},
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_refused_when_they_are_checked(
    gateway: GatewayStandin, changes: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        http_sms.Settings(**gateway.sms(**changes))
    assert misfits(http_sms.Settings, gateway.sms(**changes)), (
        "and `tocsin check` says so, with file and line"
    )
    assert misfits(http_sms.Settings, gateway.sms()) == []


def test_settings_do_not_show_their_secrets(gateway: GatewayStandin) -> None:
    shown = repr(http_sms.Settings(**gateway.sms(headers={"X-Key": "k1-secret"}, password="p-secret")))
    assert not any(secret in shown for secret in (TOKEN, SECRET, "k1-secret", "p-secret"))


@pytest.mark.parametrize(("module", "field"), [(http_sms, "text"), (http_voice, "say")])
def test_the_preview_is_what_would_be_sent_also_without_credentials(
    gateway: GatewayStandin, module: Any, field: str
) -> None:
    settings = gateway.sms() if module is http_sms else gateway.voice()
    shown = module.preview(of(), module.Settings(**settings))
    module.send(of(), module.Settings(**settings), 2.0)
    assert shown[field] == gateway.taken[0].fields[field]
    assert TOKEN not in str(shown)
    unset = module.Settings.model_construct(
        **{**settings, "bearer": "(unset X)", "callback_secret": "(unset Y)"}
    )
    assert module.preview(of(), unset)[field]
