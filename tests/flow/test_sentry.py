"""What reaches Sentry over the wire: the fault, where it was, and nothing of what people or vendors sent."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import reception
import sentry_sdk
from commands import running
from forked import process
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from sentry_standin import SentryStandin
from stage import free_port
from working import until

from ledger import links, policies, sentry
from ledger.catalogue import catalogue
from ledger.clock import now_ms
from ledger.keys import Keys
from receiver import samples
from receiver.samples import Wanted
from receiver.sources import stripe
from routing.decision import Table
from routing.instant import HOUR
from workers.env_file import PREFIXES
from workers.queues import DELIVER

CONFIG = Path(__file__).parents[2] / "config"
SECRETS = {name: f"planted-secret-of-{name.lower()}" for name in PREFIXES}
PLANTED = {
    "authorization": "Bearer planted-bearer-token",
    "cookie": "session=planted-cookie",
    "stripe-signature": "t=1,v1=planted-signature",
    "x-forwarded-for": "203.0.113.77",
}
BODY = b'{"email": "planted.person@example.com", "card": "planted-body"}'
NEVER = ("planted", "203.0.113.77", '"vars"')


@pytest.fixture
def outside() -> Iterator[SentryStandin]:
    with SentryStandin() as found:
        yield found


def leaked(outside: SentryStandin) -> list[str]:
    return [word for word in NEVER if word in outside.everything]


def test_a_fault_of_a_page_is_reported_without_its_request(
    redis: Redis, redis_url: str, keys: Keys, tmp_path: Path, outside: SentryStandin
) -> None:
    """The record behind the link is damaged: nobody foresaw that."""
    policies.settle(redis, keys, CONFIG, SECRETS, catalogue())
    redis.hset(keys.state(Table.INCIDENT), "INC-1", "damaged")
    token = links.make(SECRETS["TOCSIN_LINK_SECRET"], "INC-1-d1", now_ms() + HOUR)
    port = free_port()
    given = {**SECRETS, "SENTRY_DSN": outside.dsn, "TOCSIN_RECEIVER_PORT": str(port)}
    with (
        running(tmp_path, redis_url, "receiver", **given),
        httpx2.Client(trust_env=False, verify=False) as http,
    ):
        until(lambda: ready(http, port), 30, "the receiver")
        answer = http.request(
            "GET", f"http://127.0.0.1:{port}/a/{token}?token=planted-query", headers=PLANTED, content=BODY
        )
        until(lambda: outside.events, 20, "the report")
    assert (answer.status_code, set(answer.json())) == (503, {"error", "hint"})
    assert answer.headers["retry-after"]
    (event,) = outside.events
    assert event["exception"]["values"][-1]["type"] == "DecodeError"
    assert event["request"]["url"].endswith("/a/[redacted]")
    assert leaked(outside) == []
    assert token not in outside.everything
    assert token.rpartition(".")[2] not in outside.everything


def ready(http: httpx2.Client, port: int) -> bool:
    try:
        return http.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def test_a_fault_of_a_source_is_reported_without_the_body_or_its_signature(
    redis: Redis, redis_url: str, outside: SentryStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No patching of our own code elsewhere; a fault on purpose cannot be had otherwise."""

    def faulty(inbound: object, _: object) -> None:
        local = BODY
        raise RuntimeError(f"not foreseen: {len(local)} {secret}")

    secret = reception.SECRETS["STRIPE_WEBHOOK_SECRET"]
    monkeypatch.setattr(stripe, "parse", faulty)
    assert sentry.start({"SENTRY_DSN": outside.dsn, "STRIPE_WEBHOOK_SECRET": secret})
    try:
        with reception.running(redis, redis_url) as receiver:
            body = samples.make(
                "stripe", "payout.failed", Wanted(changes=[("data.object.note", "planted")]), now_ms()
            )
            headers = {**PLANTED, **stripe.sign(body, secret, now_ms())}
            answer = receiver.post("/hooks/stripe?token=planted-query", body, headers)
            sentry_sdk.flush(10)
    finally:
        sentry_sdk.get_global_scope().set_client(None)
    assert (answer.status_code, len(answer.json()["dead"])) == (202, 1)
    (event,) = outside.events
    assert event["exception"]["values"][-1]["value"] == "not foreseen: 63 [redacted]"
    assert leaked(outside) == []
    assert secret not in outside.everything
    assert headers["stripe-signature"].rpartition("v1=")[2] not in outside.everything


def test_a_crashed_job_is_reported_without_the_workers_secrets(
    redis: Redis, redis_url: str, tmp_path: Path, outside: SentryStandin
) -> None:
    """Somebody else's job names the secret itself: the report says what was refused, and not with it."""
    secret = "planted-api-secret"
    variables = {"TOCSIN_REDIS_URL": redis_url, "TOCSIN_DATA": str(tmp_path), "SENTRY_DSN": outside.dsn,
                 "TWILIO_API_SECRET": secret}  # fmt: skip
    Queue(DELIVER, connection=redis, serializer=JSONSerializer).enqueue(
        f"os.{secret}", "planted-argument", anna="planted-too"
    )
    with process("workers.serving:main", DELIVER, **variables) as worker:
        until(lambda: outside.events, 20, "the report")
        worker.terminate()
        assert worker.wait(20) == 0
    (event,) = outside.events
    fault = event["exception"]["values"][-1]
    assert fault["type"] == "RefusedJob"
    assert "names 'os.[redacted]'" in fault["value"]
    assert leaked(outside) == []
