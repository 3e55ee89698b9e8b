"""The ingest route, from the socket to the stream."""

import gzip
import json
from collections.abc import Mapping
from typing import Any

import pytest
from reception import SECRETS, Reception

from ledger import dead
from ledger.clock import now_ms
from receiver import samples
from receiver.samples import Wanted
from receiver.sources import alertmanager, stripe, vercel
from routing.entry import Lane, Signal

STRIPE_SECRET = SECRETS["STRIPE_WEBHOOK_SECRET"]
NONSENSE = b'{"id": "evt_1", "object": "event"'


def event(**changes: str) -> bytes:
    return samples.make(
        "stripe", "payment_intent.payment_failed", Wanted(changes=list(changes.items())), now_ms()
    )


def signed(body: bytes, *, secret: str = STRIPE_SECRET, at: int | None = None) -> dict[str, str]:
    """As Stripe signs, also over what is no text."""
    from receiver import hmacs  # the library signs text only

    seconds = (now_ms() if at is None else at) // 1000
    return {
        "stripe-signature": f"t={seconds},v1={hmacs.hexdigest('sha256', b'%d.%b' % (seconds, body), secret)}"
    }


def bearer(token: str = SECRETS["ALERTMANAGER_TOKEN"]) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_a_signed_event_is_in_the_log_once_it_is_answered(reception: Reception) -> None:
    body = event()
    answer = reception.post("/hooks/stripe", body, stripe.sign(body, STRIPE_SECRET, now_ms()))
    assert answer.status_code == 202
    said = answer.json()
    assert list(said) == ["accepted", "dead"]
    assert said["dead"] == []
    [entry] = reception.entries(Lane.BULK)
    assert said["accepted"][0].startswith("b")
    assert isinstance(entry, Signal)
    assert entry.event.kind == "payment_intent.payment_failed"


def test_every_sample_of_every_source_is_taken(reception: Reception) -> None:
    for name in ("stripe", "vercel", "alertmanager", "prometheus"):
        gate = reception.site.gates.gate(name)
        for sample in samples.names(name):
            body = samples.make(name, sample, Wanted(), now_ms())
            answer = reception.post(f"/hooks/{name}", body, gate.module.sign(body, gate.secrets[0], now_ms()))
            assert answer.status_code == 202, (name, sample)
            assert answer.json()["dead"] == []


def test_the_raw_body_is_kept_with_redacted_headers(reception: Reception) -> None:
    body = event()
    reception.post("/hooks/stripe", body, {**signed(body), "cookie": "a=b", "x-request-id": "r1"})
    rows: Any = reception.redis.xrange(reception.keys.raw)
    [(_, fields)] = rows
    headers = json.loads(fields[b"h"])
    assert fields[b"b"] == body
    assert headers["stripe-signature"] == headers["cookie"] == "[redacted]"
    assert headers["x-request-id"] == "r1"


def test_the_same_event_twice_is_one_event_with_one_id(reception: Reception) -> None:
    body = event()
    first = reception.post("/hooks/stripe", body, signed(body)).json()
    second = reception.post("/hooks/stripe", body, signed(body)).json()
    assert first == second
    assert len(reception.entries()) == 1


def test_a_re_sent_alert_is_news_again(reception: Reception) -> None:
    body = samples.make("alertmanager", "firing", Wanted(), now_ms())
    ids = {reception.post("/hooks/alertmanager", body, bearer()).json()["accepted"][0] for _ in range(2)}
    assert len(ids) == 2


def test_urgent_kinds_travel_in_the_urgent_lane(reception: Reception) -> None:
    for name in ("site-down", "firing"):
        body = samples.make("alertmanager", name, Wanted(), now_ms())
        assert reception.post("/hooks/alertmanager", body, bearer()).status_code == 202
    assert [entry.event.kind for entry in reception.entries(Lane.URGENT)] == ["SiteDown"]  # type: ignore[union-attr]
    assert [entry.event.kind for entry in reception.entries(Lane.BULK)] == ["HighErrorRate"]  # type: ignore[union-attr]


def test_a_production_deployment_is_two_events_of_one_delivery(reception: Reception) -> None:
    body = samples.make("vercel", "deployment.succeeded", Wanted(), now_ms())
    answers = [
        reception.post("/hooks/vercel", body, vercel.sign(body, SECRETS["VERCEL_WEBHOOK_SECRET"], 0)).json()
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert [entry.event.status for entry in reception.entries()] == ["info", "resolved"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "no Stripe-Signature"),
        ({"stripe-signature": ""}, "no Stripe-Signature"),
        ({"stripe-signature": "nonsense"}, "malformed"),
        ({"stripe-signature": "t=,v1="}, "malformed"),
        ({"stripe-signature": "t=x,v1=00"}, "malformed"),
        ({"stripe-signature": "v1=" + "0" * 64}, "malformed"),
        ({"stripe-signature": "t=1614265330"}, "no v1 signature"),
        ({"stripe-signature": "t=1614265330,v1=" + "0" * 64}, "no v1 signature"),
        ({"stripe-signature": "t=1614265330,v1=" + "0" * 5000}, "malformed"),
        (signed(NONSENSE, secret="whsec_other"), "no v1 signature"),
        (signed(NONSENSE, secret=""), "no v1 signature"),
        (signed(NONSENSE + b" "), "no v1 signature"),
        ({"stripe-signature": signed(NONSENSE)["stripe-signature"].replace("v1=", "v0=")}, "no v1 signature"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value,
)
def test_what_is_not_authentic_is_refused_and_not_kept(
    reception: Reception, headers: Mapping[str, str], why: str
) -> None:
    answer = reception.post("/hooks/stripe", NONSENSE, headers)
    assert answer.status_code == 401
    assert why in answer.json()["error"]
    assert answer.json()["hint"]
    assert "whsec_" not in answer.json()["error"]
    assert reception.entries() == []
    assert dead.waiting(reception.redis, reception.keys) == 0


def test_a_non_ascii_signature_is_refused_not_a_fault(reception: Reception) -> None:
    answer = reception.http.post(
        reception.url + "/hooks/stripe", content=NONSENSE, headers=[(b"stripe-signature", b"t=1,v1=\xc3\xa9")]
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(("behind_s", "status"), [(299, 202), (302, 401), (-298, 202), (-302, 401)])
def test_a_signature_may_be_five_minutes_off_either_way(
    reception: Reception, behind_s: int, status: int
) -> None:
    body = event()
    answer = reception.post("/hooks/stripe", body, signed(body, at=now_ms() - behind_s * 1000))
    assert answer.status_code == status
    if status == 401:
        assert ("old" if behind_s > 0 else "future") in answer.json()["error"]


def test_while_a_secret_is_rolled_both_are_good(reception: Reception) -> None:
    for secret in (STRIPE_SECRET, SECRETS["STRIPE_OLD_SECRET"]):
        body = event()
        assert reception.post("/hooks/stripe", body, signed(body, secret=secret)).status_code == 202
    body = event()
    both = (
        signed(body, secret="whsec_other")["stripe-signature"]
        + ","
        + signed(body)["stripe-signature"].split(",")[1]
    )
    assert reception.post("/hooks/stripe", body, {"stripe-signature": both}).status_code == 202


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "nonsense"])
def test_the_content_type_does_not_matter(reception: Reception, content_type: str) -> None:
    body = event()
    headers = {**signed(body), "content-type": content_type}
    assert reception.post("/hooks/stripe", body, headers).status_code == 202


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty"),
        (NONSENSE, "not JSON"),
        (b"[]", "expected a JSON object"),
        (b"null", "expected a JSON object"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "nested"),
        (b'{"id":"evt_1","object":"event","type":"x","created":NaN}', "not JSON"),
        (b'{"id":"evt_1","object":"event","type":"\xff"}', "not valid UTF-8"),
        (b'{"id":"evt_1","object":"event","type":"\\ud800"}', "surrogate"),
        (b'{"id":"evt_1","id":"evt_2","object":"event","type":"x"}', "more than once"),
        (b'{"id":"evt_1","object":"event","type":"x","data":{"object":{}},"created":1' + b"0" * 30 + b"}", "created"),
        (b'{"id":"evt_1","object":"event"}', "type"),
        (b'{"id":"evt_1","object":"charge"}', "object"),
        (b'{"id":1,"object":"event","type":"x"}', "id"),
    ],
    ids=[
        "0 bytes", "truncated", "list", "null", "deep list", "deep object", "NaN", "invalid UTF-8", "surrogate",
        "duplicate keys", "huge integer", "no type", "other object", "id is a number",
    ],
)  # fmt: skip
def test_what_is_authentic_and_unreadable_is_a_dead_letter(
    reception: Reception, body: bytes, why: str
) -> None:
    answer = reception.post("/hooks/stripe", body, signed(body))
    assert answer.status_code == 202
    assert answer.json()["accepted"] == []
    letter = dead.get(reception.redis, reception.keys, answer.json()["dead"][0])
    assert letter is not None
    assert (letter.kind, letter.source, letter.raw) == ("refused", "stripe", body)
    assert why in letter.why
    assert letter.headers["stripe-signature"] == "[redacted]"
    assert 'tocsin_unreadable_total{source="stripe"} 1.0' in reception.get("/metrics").text


def test_the_same_unreadable_body_is_one_dead_letter(reception: Reception) -> None:
    ids = {reception.post("/hooks/stripe", NONSENSE, signed(NONSENSE)).json()["dead"][0] for _ in range(3)}
    assert len(ids) == 1
    letter = dead.get(reception.redis, reception.keys, ids.pop())
    assert letter is not None
    assert letter.tries == 3


def test_readable_alerts_are_kept_beside_unreadable_ones(reception: Reception) -> None:
    body = json.loads(samples.make("alertmanager", "firing", Wanted(), now_ms()))
    body["alerts"].append({"status": "ringing", "labels": {"alertname": "Odd"}})
    said = reception.post("/hooks/alertmanager", json.dumps(body).encode(), bearer()).json()
    assert len(said["accepted"]) == len(said["dead"]) == 1
    letter = dead.get(reception.redis, reception.keys, said["dead"][0])
    assert letter is not None
    assert "alerts[1].status" in letter.why
    mended = letter.raw.replace(b"ringing", b"firing")
    again = reception.post("/hooks/alertmanager", mended, bearer()).json()
    assert len(again["accepted"]) == 1


def test_an_unknown_event_type_is_accepted(reception: Reception) -> None:
    body = event(type="something.new")
    assert reception.post("/hooks/stripe", body, signed(body)).status_code == 202
    [entry] = reception.entries()
    assert isinstance(entry, Signal)
    assert (entry.event.kind, entry.event.status) == ("something.new", "info")


def test_an_unknown_source_is_not_found(reception: Reception) -> None:
    for path in ("/hooks/tocsin", "/hooks/", "/hooks/stripe/extra", "/hooks/%00"):
        answer = reception.post(path, b"{}")
        assert answer.status_code == 404
        assert set(answer.json()) == {"error", "hint"}
    assert 'tocsin_refused_total{source="",why="unknown_source"} 4.0' in reception.get("/metrics").text


def test_other_methods_are_told_to_post(reception: Reception) -> None:
    answer = reception.get("/hooks/stripe")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


def test_a_source_without_its_secret_takes_nothing(reception: Reception) -> None:
    answer = reception.post("/hooks/unarmed", b"{}", signed(b"{}", secret=""))
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "NOBODY_SET_THIS" in answer.json()["hint"]


def test_ten_megabytes_are_too_much_announced_or_not(reception: Reception) -> None:
    big = b" " * 10_000_000
    assert reception.post("/hooks/stripe", big, signed(big)).status_code == 413
    parts = (big[start : start + 65_536] for start in range(0, len(big), 65_536))
    answer = reception.http.post(reception.url + "/hooks/stripe", content=parts)
    assert answer.status_code == 413
    assert "max_bytes" in answer.json()["hint"]
    assert reception.site.room.used == 0


def test_memory_for_bodies_is_given_back_whatever_the_answer(reception: Reception) -> None:
    body = event()
    for headers in (signed(body), signed(body, secret="whsec_other"), {}):
        reception.post("/hooks/stripe", body, headers)
    assert reception.site.room.used == 0


def test_gzip_is_unpacked_before_it_is_verified(reception: Reception) -> None:
    body = event()
    headers = {**signed(body), "content-encoding": "gzip"}
    assert reception.post("/hooks/stripe", gzip.compress(body, mtime=0), headers).status_code == 202


def test_a_gzip_bomb_is_too_large(reception: Reception) -> None:
    bomb = gzip.compress(b"0" * 20_000_000, mtime=0)
    headers = {**bearer(), "content-encoding": "gzip"}
    assert reception.post("/hooks/alertmanager", bomb, headers).status_code == 413
    dense = gzip.compress(b"0" * 500_000, mtime=0)
    assert reception.post("/hooks/alertmanager", dense, headers).status_code == 413


@pytest.mark.parametrize(
    ("coding", "body"), [("gzip", b"{}"), ("gzip", gzip.compress(b"{}", mtime=0)[:-4]), ("br", b"{}")]
)
def test_what_cannot_be_unpacked_is_refused_unless_a_token_vouches_for_it(
    reception: Reception, coding: str, body: bytes
) -> None:
    headers = {"content-encoding": coding}
    answer = reception.post("/hooks/stripe", body, headers)
    assert answer.status_code == 400
    vouched = reception.post("/hooks/alertmanager", body, {**headers, **bearer()})
    assert vouched.status_code == 202
    assert len(vouched.json()["dead"]) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("wrong"),
        {"authorization": "Bearer"},
        {"authorization": "Basic " + "YTo="},
        {"authorization": "Basic !!!"},
        {"authorization": "Digest x"},
    ],
)
def test_a_wrong_token_is_refused(reception: Reception, headers: dict[str, str]) -> None:
    body = samples.make("alertmanager", "firing", Wanted(), now_ms())
    answer = reception.post("/hooks/alertmanager", body, headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_the_token_may_be_the_basic_password(reception: Reception) -> None:
    body = samples.make("alertmanager", "firing", Wanted(), now_ms())
    answer = reception.http.post(
        reception.url + "/hooks/alertmanager", content=body, auth=("anyone", SECRETS["ALERTMANAGER_TOKEN"])
    )
    assert answer.status_code == 202
    assert alertmanager.sign(body, "t", 0)["authorization"] == "Bearer t"


def test_a_fault_of_ours_in_a_parser_keeps_the_body(
    reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No patching of our own code elsewhere; a fault on purpose cannot be had otherwise."""

    def faulty(*_: object) -> None:
        raise RuntimeError("not foreseen")

    monkeypatch.setattr(stripe, "parse", faulty)
    body = event()
    said = reception.post("/hooks/stripe", body, signed(body)).json()
    letter = dead.get(reception.redis, reception.keys, said["dead"][0])
    assert letter is not None
    assert letter.raw == body
    assert "not foreseen" in letter.traceback


def test_refusals_are_counted_and_a_few_examples_kept(reception: Reception) -> None:
    from reception import until

    for _ in range(100):
        reception.post("/hooks/stripe", b"{}", {"stripe-signature": "t=1,v1=deadbeef", "user-agent": "probe"})
    keys = reception.keys
    until(lambda: reception.redis.hget(keys.refusals, "stripe signature") == b"100")
    examples = [json.loads(raw) for raw in reception.redis.lrange(keys.refused("stripe"), 0, -1)]
    assert 0 < len(examples) <= 20
    assert examples[0]["headers"]["user-agent"] == "probe"
    assert "deadbeef" not in json.dumps(examples)
