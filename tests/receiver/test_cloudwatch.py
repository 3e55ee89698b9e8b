"""SNS: Amazon's signature, the topic that is yours, and nothing fetched or confirmed for a stranger."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sns_standin
from reception import HERE, POLICY, Reception, running, until
from redis import Redis
from sns_standin import CERTIFICATE, TOPIC, message

from ledger.clock import now_ms
from receiver.documents import OutOfReach
from receiver.sources import cloudwatch
from routing.errors import BadSignature
from routing.instant import DAY, HOUR, MINUTE, iso
from routing.policy import Source
from routing.ports import Inbound

NOW = 1_764_000_000_000
TOKEN = "cloudwatch-token"
SOURCE = Source("cloudwatch", "cloudwatch", (TOKEN,), HERE, settings={"topics": [TOPIC]})
BASIC = {"authorization": f"Basic {b64encode(b'tocsin:' + TOKEN.encode()).decode()}"}


def inbound(told: dict[str, Any], **headers: str) -> Inbound:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Inbound(json.dumps(told).encode(), {**BASIC, **named}, {}, NOW, sns_standin.certificate(NOW - DAY))


def accepts(one: Inbound, source: Source = SOURCE) -> bool:
    try:
        cloudwatch.verify(one, [TOKEN], source)
    except BadSignature:
        return False
    return True


def asks(told: dict[str, Any], source: Source = SOURCE, **headers: str) -> str:
    try:
        return cloudwatch.document(inbound(told, **headers), [TOKEN], source)
    except BadSignature:
        return ""


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("more", [{}, {"Subject": "ALARM"}])
def test_what_amazon_signs_is_taken(version: str, more: dict[str, str]) -> None:
    told = message(iso(NOW), version=version, **more)
    assert accepts(inbound(told, x_amz_sns_message_type="Notification", x_amz_sns_topic_arn=TOPIC))
    assert asks(told) == CERTIFICATE


Forged = Callable[[dict[str, Any]], dict[str, Any]]
FORGED: dict[str, Forged] = {
    "another message": lambda told: told | {"Message": "x"},
    "another id": lambda told: told | {"MessageId": "other"},
    "another subject": lambda told: told | {"Subject": "x"},
    "another time": lambda told: told | {"Timestamp": iso(NOW + 1000)},
    "another version": lambda told: told | {"SignatureVersion": "1"},
    "an unknown version": lambda told: told | {"SignatureVersion": "3"},
    "no version": lambda told: {name: value for name, value in told.items() if name != "SignatureVersion"},
    "no signature": lambda told: {name: value for name, value in told.items() if name != "Signature"},
    "an empty signature": lambda told: told | {"Signature": ""},
    "no base64": lambda told: told | {"Signature": "é"},
    "one bit": lambda told: told | {"Signature": "A" + told["Signature"][1:] if told["Signature"][0] != "A" else "B" + told["Signature"][1:]},
    "truncated": lambda told: told | {"Signature": told["Signature"][:-8]},
    "another type": lambda told: told | {"Type": "SubscriptionConfirmation"},
    "no type of theirs": lambda told: told | {"Type": "Other"},
    "another topic": lambda told: told | {"TopicArn": TOPIC + "x"},
}  # fmt: skip


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_message_is_refused(what: str) -> None:
    assert not accepts(inbound(FORGED[what](message(iso(NOW)))))


def test_a_rightly_signed_message_of_somebody_elses_topic_is_refused() -> None:
    """Amazon signs for every customer: a valid signature does not say that it is yours."""
    theirs = message(iso(NOW), TopicArn="arn:aws:sns:eu-central-1:999999999999:alarms")
    assert not accepts(inbound(theirs))
    assert asks(theirs) == ""
    assert not accepts(inbound(message(iso(NOW))), replace(SOURCE, settings={}))


@pytest.mark.parametrize("kind", ["x_amz_sns_message_type", "x_amz_sns_topic_arn"])
def test_headers_say_what_the_body_says(kind: str) -> None:
    assert not accepts(inbound(message(iso(NOW)), **{kind: "SubscriptionConfirmation"}))


@pytest.mark.parametrize(
    ("age_ms", "good"),
    [(0, True), (59 * MINUTE, True), (HOUR + MINUTE, False), (-4 * MINUTE, True), (-HOUR, False)],
)
def test_a_message_may_be_as_old_as_sns_tries(age_ms: int, good: bool) -> None:
    assert accepts(inbound(message(iso(NOW - age_ms)))) == good


def test_a_certificate_counts_while_it_is_valid() -> None:
    one = inbound(message(iso(NOW)))
    expired = Inbound(one.body, one.headers, {}, NOW, sns_standin.certificate(NOW - 20 * DAY, 10))
    early = Inbound(one.body, one.headers, {}, NOW, sns_standin.certificate(NOW + DAY))
    for other in (
        expired,
        early,
        Inbound(one.body, one.headers, {}, NOW),
        Inbound(one.body, one.headers, {}, NOW, b"no PEM"),
    ):
        assert not accepts(other)


@pytest.mark.parametrize(
    "address",
    ["http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem", "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-0a.pem",
     "https://evil.example/SimpleNotificationService-0a.pem", "https://sns.eu-central-1.amazonaws.com@evil.example/SimpleNotificationService-0a.pem",
     "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem", "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem?x=.pem",
     "https://sns.eu-central-1.amazonaws.com/?Action=GetTopic&.pem", "https://sns.eu-central-1.amazonaws.com:8443/SimpleNotificationService-0a.pem",
     "https://bucket.s3.amazonaws.com/SimpleNotificationService-0a.pem", "https://sns.eu-central-1.amazonaws.com/../x.pem",
     "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem#", "//sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem", "https://[", "", None, 7],
)  # fmt: skip
def test_sns_cert_spoof_a_certificate_comes_from_amazons_host_alone(address: Any) -> None:
    """The loophole of Amazon's own SDKs: whoever says where the certificate is, signs as they like."""
    assert asks(message(iso(NOW), SigningCertURL=address)) == ""


def test_nothing_is_fetched_for_a_stranger() -> None:
    told = message(iso(NOW))
    assert asks(told, authorization="Bearer wrong") == ""
    assert asks(told, authorization="") == ""


def confirmation(**more: str) -> dict[str, Any]:
    told = {"Token": "2336412f37fb", "SubscribeURL": "https://169.254.169.254/latest/meta-data", **more}
    return message(iso(NOW), "SubscriptionConfirmation", **told)


def test_sns_subscribe_url_ssrf_a_subscription_is_confirmed_at_amazon_whatever_is_named() -> None:
    """CVE-2026-32096: SubscribeURL made servers ask whatever an attacker liked."""
    one = inbound(confirmation())
    assert accepts(one)
    assert cloudwatch.confirmation(one, SOURCE) == (
        "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription"
        "&TopicArn=arn%3Aaws%3Asns%3Aeu-central-1%3A123456789012%3Aalarms&Token=2336412f37fb"
    )
    assert cloudwatch.confirmation(inbound(confirmation(Token="x&TopicArn=y")), SOURCE) == ""
    assert cloudwatch.confirmation(inbound(message(iso(NOW))), SOURCE) == ""


def test_a_rehearsal_counts_only_where_the_source_allows_it() -> None:
    body = json.dumps(message(iso(NOW)) | {"Signature": "none"}).encode()
    one = Inbound(body, cloudwatch.sign(body, TOKEN, NOW), {}, NOW)
    assert not accepts(one)
    assert accepts(one, replace(SOURCE, settings={"topics": [TOPIC], "rehearsals": True}))


# ── through the receiver ─────────────────────────────────────────────────────────────────────────────────


class Amazon:
    """What the receiver may ask. `good`: whether it answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.good = True

    async def fetch(self, address: str) -> bytes:
        self.asked.append(address)
        if not self.good:
            raise OutOfReach("it answered 500")
        return (
            sns_standin.certificate(now_ms() - now_ms() % DAY - DAY) if address == CERTIFICATE else b"<ok/>"
        )


@pytest.fixture
def amazon() -> Amazon:
    return Amazon()


@pytest.fixture
def reception(redis: Redis, redis_url: str, amazon: Amazon) -> Any:
    policy = replace(POLICY, sources={"cloudwatch": SOURCE})
    with running(redis, redis_url, policy=policy, fetch=amazon.fetch) as found:
        until(lambda: found.site.gates.version)
        yield found


def send(reception: Reception, told: dict[str, Any], headers: dict[str, str] | None = None) -> int:
    body = json.dumps(told).encode()
    return reception.post("/hooks/cloudwatch", body, BASIC if headers is None else headers).status_code


def test_sns_is_asked_for_its_password_taken_in_and_confirmed_once(
    reception: Reception, amazon: Amazon
) -> None:
    told = message(
        iso(now_ms()), "SubscriptionConfirmation", Token="2336412f37fb", SubscribeURL="https://evil.example"
    )
    answer = reception.post("/hooks/cloudwatch", json.dumps(told).encode())
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="tocsin"')
    assert amazon.asked == []
    assert [send(reception, told) for _ in range(2)] == [202, 202]
    assert [address.partition("/?")[0] for address in amazon.asked] == [
        CERTIFICATE,
        "https://sns.eu-central-1.amazonaws.com",
    ]
    assert [send(reception, message(iso(now_ms()), MessageId=str(number))) for number in range(3)] == [
        202
    ] * 3
    assert len(amazon.asked) == 2
    assert len(reception.entries()) == 4


def test_when_amazon_does_not_answer_sns_is_told_to_send_again(reception: Reception, amazon: Amazon) -> None:
    amazon.good = False
    answers = [
        reception.post("/hooks/cloudwatch", json.dumps(message(iso(now_ms()))).encode(), BASIC)
        for _ in range(3)
    ]
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "10")] * 3
    assert amazon.asked == [CERTIFICATE], "what failed is not asked for again at once"
    assert reception.entries() == []


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}])
def test_a_stranger_makes_the_receiver_ask_nothing(
    reception: Reception, amazon: Amazon, headers: dict[str, str]
) -> None:
    assert send(reception, message(iso(now_ms())), headers) == 401
    assert amazon.asked == []
