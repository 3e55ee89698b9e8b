"""What providers by configuration call back with: proven in one of three ways, read as their channel says."""

import hmac
import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import gateway_standin
import kept
import pytest
import small_policy
from gateway_standin import SECRET, GatewayStandin
from reception import POLICY, Reception, running
from redis import Redis
from workshop import bench, page

from ledger import links
from ledger.clock import now_ms
from routing.decision import Decision, Put, Table
from routing.entry import Answer, Receipt, Verb
from routing.incident import Phase
from routing.instant import DAY
from routing.policy import Channel
from routing.response.phrases import phrases
from workers import deliver

SIGNED = {"signature": {"header": "X-Gateway-Signature", "prefix": "sha256="}}
TIMED = {"signature": {"header": "X-Sig", "encoding": "base64", "algorithm": "sha1", "timestamp": "X-At"}}
MANY = {
    "receipts": {
        "each": "results", "status": "status.name", "id": "messageId", "delivery": "callbackData",
        "detail": "status.text", "words": {"delivered": "delivered", "REJECTED": "failed"},
    },
}  # fmt: skip


def channel(name: str, settings: dict[str, Any], *, voice: bool = False) -> Channel:
    return Channel(name, "http_voice" if voice else "http_sms", settings, small_policy.HERE, voice=voice)


CHANNELS = {
    each.name: each
    for each in (
        channel("gate", gateway_standin.SMS),
        channel("ring", gateway_standin.VOICE, voice=True),
        channel("signed", {**gateway_standin.SMS, **SIGNED}),
        channel("timed", {**gateway_standin.SMS, **TIMED}),
        channel("many", {**gateway_standin.SMS, **MANY}),
        channel("mute", {"url": "https://sms.example"}),
    )
}


@pytest.fixture
def reception(redis: Redis, redis_url: str) -> Iterator[Reception]:
    with running(redis, redis_url, policy=replace(POLICY, channels=CHANNELS)) as found:
        yield found


def token(delivery: str = "INC-1-d1", secret: str = SECRET, good_for_ms: int = DAY) -> str:
    return links.make(secret, delivery, now_ms() + good_for_ms)


def post(reception: Reception, path: str, body: Any, **headers: str) -> int:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return reception.post(f"/callbacks/provider/{path}", raw, headers).status_code


def test_from_the_worker_to_the_gateway_and_back_again(reception: Reception) -> None:
    with GatewayStandin(receiver=reception.url) as gateway:
        at = bench(
            reception.redis,
            channels={"gate": ("http_sms", gateway.sms()), "ring": ("http_voice", gateway.voice())},
        )
        for number, name in enumerate(("gate", "ring"), 1):
            effect = at.put(page(name, id=f"INC-1-d{number}", address="+48500000001"))
            deliver.carry_out(at, effect.id, effect.attempt)
        text, call = gateway.taken
        assert gateway.report(text, "DELIVRD") == 204
        assert gateway.report(call, "MACHINE") == 204
        assert gateway.press(call, "5") == (200, phrases("en").done[Verb.ESCALATE])
    entries = reception.entries()
    receipts = [(each.delivery, each.status) for each in entries if isinstance(each, Receipt)]
    assert receipts == [("INC-1-d1", "delivered"), ("INC-1-d2", "machine")]
    assert [(each.delivery, each.text) for each in entries if isinstance(each, Answer)] == [("INC-1-d2", "5")]


DELIVERED = {"id": "g1", "state": "DELIVRD", "why": "ok"}


def test_a_receipt_at_its_own_address_is_that_deliverys(reception: Reception) -> None:
    for _ in range(2):
        assert post(reception, f"gate/receipts/{token()}", DELIVERED) == 204
    [entry] = reception.entries()
    assert isinstance(entry, Receipt)
    assert (entry.delivery, entry.status, entry.provider_id, entry.detail) == (
        "INC-1-d1",
        "delivered",
        "g1",
        "ok",
    )
    assert entry.by == "gate"


@pytest.mark.parametrize(
    ("state", "status"),
    [("undeliv", "undelivered"), ("OPTOUT", "opted-out"), ("QUEUED", ""), ("brand new", ""), ("", "")],
)
def test_words_are_mapped_and_those_that_decide_nothing_are_taken_and_not_kept(
    reception: Reception, state: str, status: str
) -> None:
    assert post(reception, f"gate/receipts/{token()}", {"id": "g1", "state": state}) == 204
    assert [entry.status for entry in reception.entries() if isinstance(entry, Receipt)] == (
        [status] if status else []
    )


@pytest.mark.parametrize(
    "forged",
    [
        token(secret="somebody else's"),
        token(good_for_ms=-1),
        token().replace("INC-1-d1", "INC-1-d2"),
        token()[:-1],
        "nonsense",
    ],
    ids=["another secret", "expired", "another delivery", "cut", "nonsense"],
)
def test_a_token_that_is_not_ours_changes_nothing(reception: Reception, forged: str) -> None:
    assert post(reception, f"gate/receipts/{forged}", DELIVERED) == 401
    assert reception.entries() == []


def test_the_secret_may_be_rolled(reception: Reception) -> None:
    assert post(reception, f"gate/receipts/{token(secret='rolled-away')}", DELIVERED) == 204
    assert post(reception, "gate/replies?token=rolled-away", {"body": "ack", "msisdn": "48500000001"}) == 204


def test_a_reply_at_a_fixed_address_needs_the_secret(reception: Reception) -> None:
    said = {"id": "m1", "msisdn": "48500000001", "body": "12a"}
    for path in ("gate/replies", "gate/replies?token=", "gate/replies?token=wrong"):
        assert post(reception, path, said) == 401
    assert post(reception, "gate/replies", said, authorization="Bearer wrong") == 401
    assert reception.entries() == []
    for _ in range(2):
        assert post(reception, f"gate/replies?token={SECRET}", said) == 204
        assert post(reception, "gate/replies", said, authorization=f"Bearer {SECRET}") == 204
    [entry] = reception.entries()
    assert isinstance(entry, Answer)
    assert (entry.address, entry.text, entry.delivery, entry.channel) == ("48500000001", "12a", "", "SMS")


def test_words_without_an_id_are_not_lost_to_those_of_somebody_else(reception: Reception) -> None:
    for sender in ("48500000001", "48500000002"):
        path = f"/callbacks/provider/gate/replies?token={SECRET}&msisdn={sender}&body=ack"
        assert reception.get(path).status_code == 204
    assert [each.address for each in reception.entries() if isinstance(each, Answer)] == [
        "48500000001",
        "48500000002",
    ]


def test_what_a_person_writes_means_their_pages_though_its_address_names_one(reception: Reception) -> None:
    assert (
        post(reception, f"gate/replies/{token()}", {"id": "m1", "msisdn": "+48500000001", "body": "STOP"})
        == 204
    )
    [entry] = reception.entries()
    assert isinstance(entry, Answer)
    assert (entry.address, entry.delivery) == ("+48500000001", "")


def test_a_key_is_for_the_call_its_address_names_and_the_caller_hears_what_came_of_it(
    reception: Reception,
) -> None:
    answer = reception.post(
        f"/callbacks/provider/ring/replies/{token()}",
        json.dumps({"id": "c1", "dtmf": {"digits": "4"}}).encode(),
    )
    assert answer.json() == [{"action": "talk", "text": phrases("en").done[Verb.ACK]}]
    [entry] = reception.entries()
    assert isinstance(entry, Answer)
    assert (entry.delivery, entry.text, entry.channel, entry.address) == ("INC-1-d1", "4", "the phone", "")


def test_a_key_on_what_somebody_else_has_says_who_has_it(reception: Reception) -> None:
    taken = kept.incident(phase=Phase.ACKNOWLEDGED, acknowledged_by="bob")
    records = (Put(Table.INCIDENT, "INC-1", taken), Put(Table.DELIVERY, "INC-1-d1", kept.delivery(), "INC-1"))
    kept.commit(reception.redis, reception.keys, Decision(records, (), None))
    answer = reception.post(
        f"/callbacks/provider/ring/replies/{token()}",
        json.dumps({"id": "c1", "dtmf": {"digits": "4"}}).encode(),
    )
    assert answer.json()[0]["text"] == "bob has it already."


def test_a_key_that_means_nothing_says_so(reception: Reception) -> None:
    answer = reception.post(
        f"/callbacks/provider/ring/replies/{token()}",
        json.dumps({"id": "c1", "dtmf": {"digits": "1"}}).encode(),
    )
    assert answer.json()[0]["text"] == phrases("en").unknown


def signed(raw: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.digest(secret.encode(), raw, "sha256").hex()


def test_where_a_signature_is_configured_nothing_else_will_do(reception: Reception) -> None:
    raw = json.dumps(DELIVERED).encode()
    path = f"signed/receipts/{token()}"
    header = "x-gateway-signature"
    for headers in (
        {},
        {header: ""},
        {header: signed(raw, "other")},
        {header: signed(raw)[7:]},
        {header: "sha256=0"},
    ):
        assert post(reception, path, raw, **headers) == 401
    assert post(reception, f"signed/replies?token={SECRET}", raw) == 401
    assert post(reception, path, raw + b" ", **{header: signed(raw)}) == 401
    assert reception.entries() == []
    assert post(reception, path, raw, **{header: signed(raw)}) == 204
    assert len(reception.entries()) == 1


@pytest.mark.parametrize(("late_s", "status"), [(0, 204), (-290, 204), (290, 204), (-400, 401), (400, 401)])
def test_a_signature_with_its_time_is_not_taken_later(reception: Reception, late_s: int, status: int) -> None:
    raw, at = json.dumps(DELIVERED).encode(), str(now_ms() // 1000 + late_s)
    mac = b64encode(hmac.digest(SECRET.encode(), at.encode() + b"." + raw, "sha1")).decode()
    assert post(reception, f"timed/receipts/{token()}", raw, **{"x-sig": mac, "x-at": at}) == status
    assert post(reception, f"timed/receipts/{token()}", raw, **{"x-sig": mac, "x-at": "soon"}) == 401
    assert post(reception, f"timed/receipts/{token()}", raw, **{"x-sig": mac}) == 401


def test_several_in_one_body_name_their_deliveries_themselves(reception: Reception) -> None:
    def one(number: int, name: str, reference: str) -> dict[str, Any]:
        return {
            "messageId": f"m{number}",
            "callbackData": reference,
            "status": {"name": name, "text": "said"},
        }

    body = {
        "results": [
            one(1, "DELIVERED", "INC-1-d1"),
            one(2, "rejected", "INC-2-d7"),
            one(3, "rejected", "a b"),
            7,
        ]
    }
    assert post(reception, f"many/receipts?token={SECRET}", body) == 204
    found = [(each.delivery, each.status) for each in reception.entries() if isinstance(each, Receipt)]
    assert found == [("INC-1-d1", "delivered"), ("INC-2-d7", "failed")]


def test_forms_and_addresses_are_read_like_json(reception: Reception) -> None:
    fields = {"id": "m1", "msisdn": "48500000001", "body": "ack"}
    path = f"/callbacks/provider/gate/replies?token={SECRET}&"
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert reception.post(path, urlencode(fields).encode(), form).status_code == 204
    assert reception.get(path + urlencode({**fields, "id": "m2"})).status_code == 204
    texts = [each.text for each in reception.entries() if isinstance(each, Answer)]
    assert texts == ["ack", "ack"]


@pytest.mark.parametrize("path", ["none/receipts", "mute/receipts", "many/replies/x/y"])
def test_a_channel_that_is_not_called_back_has_no_such_address(reception: Reception, path: str) -> None:
    assert post(reception, f"{path}?token={SECRET}", DELIVERED) == 404


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"[" * 5000, b"x" * 100_000, b"[1, 2]", b"null", b'{"state": {"a": 1}, "id": [1]}']
)
def test_nonsense_is_refused_or_means_nothing(reception: Reception, body: bytes) -> None:
    assert post(reception, f"gate/receipts/{token()}", body) in {204, 400, 413}
    assert reception.entries() == []
