"""Where a source may send from, how often, and which methods it may use."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import senders
from reception import HERE, POLICY, Reception, running
from redis import Redis
from senders import SECRET

from ledger.clock import now_ms
from ledger.settings import LedgerSettings
from receiver import intake
from receiver.allowance import Allowance, sender_of, within
from receiver.refuse import Refused
from receiver.settings import ReceiverSettings, from_env
from receiver.sources import heartbeat
from routing.errors import BadSignature
from routing.instant import SECOND
from routing.policy import Source

PROXIES = ("10.0.0.0/8", "::1/128")


@pytest.mark.parametrize(
    ("client", "forwarded", "sender"),
    [
        ("192.0.2.7", "", "192.0.2.7"),
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("10.1.1.1", "198.51.100.1", "198.51.100.1"),
        ("10.1.1.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.1.1.1", "198.51.100.1, 10.2.2.2", "198.51.100.1"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("10.1.1.1", "nonsense", "nonsense"),
        ("", "198.51.100.1", ""),
    ],
)
def test_a_header_says_who_sends_only_as_far_as_our_own_proxies_wrote_it(
    client: str, forwarded: str, sender: str
) -> None:
    assert sender_of(client, forwarded, PROXIES) == sender
    assert sender_of(client, forwarded, ()) == client


@pytest.mark.parametrize(
    ("sender", "inside"),
    [("192.0.2.7", True), ("192.0.3.7", False), ("::ffff:192.0.2.7", True), ("2001:db8::5", True), ("2001:db9::5", False), ("", False), ("x", False)],
)  # fmt: skip
def test_an_address_is_in_a_network_or_not(sender: str, inside: bool) -> None:
    assert within(sender, ("192.0.2.0/24", "2001:db8::/32")) == inside


def test_a_source_has_ten_seconds_worth_at_once_and_then_its_rate() -> None:
    allowance = Allowance(rate=3)

    def taken(at: int, tries: int) -> int:
        good = 0
        for _ in range(tries):
            with suppress(Refused):
                allowance.spend(at)
                good += 1
        return good

    assert taken(SECOND, 100) == 30
    assert taken(2 * SECOND, 100) == 3
    assert taken(2 * SECOND + 334, 100) == 1
    assert taken(SECOND, 100) == 0, "a clock that goes back gives nothing"
    assert taken(1000 * SECOND, 100) == 30


def test_what_is_beyond_it_is_told_when_to_come_again() -> None:
    allowance = Allowance(rate=1)
    for _ in range(10):
        allowance.spend(SECOND)
    with pytest.raises(Refused) as refused:
        allowance.spend(SECOND)
    assert (refused.value.status, refused.value.headers()["retry-after"]) == (503, "2")


def test_a_stranger_uses_nothing_up() -> None:
    source = replace(senders.source_of("github"), rate=1)
    gate, body = senders.gate_of(source), senders.body_of("github", "ping")
    for _ in range(50):
        with pytest.raises(BadSignature):
            intake.admit(gate, body, {"x-hub-signature-256": "sha256=00"}, {}, senders.NOW)
    good = senders.headers_of(body, source)
    for _ in range(10):
        assert intake.admit(gate, body, good, {}, senders.NOW).events
    with pytest.raises(Refused, match="more than was agreed"):
        intake.admit(gate, body, good, {}, senders.NOW)


def test_a_proxys_network_that_is_none_is_told() -> None:
    with pytest.raises(ValueError, match=r"TOCSIN_RECEIVER_PROXIES: .*CIDR"):
        from_env({"TOCSIN_RECEIVER_PROXIES": "10.0.0.0/8, proxy.example"})
    assert from_env({"TOCSIN_RECEIVER_PROXIES": "10.0.0.0/8, ::1"}).proxies == ("10.0.0.0/8", "::1/128")


# ── through the receiver ─────────────────────────────────────────────────────────────────────────────────


def source(name: str, vendor: str, **more: Any) -> Source:
    return Source(name, vendor, (SECRET,), HERE, **more)


SOURCES = [
    source("near", "generic", networks=("127.0.0.0/8",)),
    source("far", "generic", networks=("192.0.2.0/24",)),
    source("heartbeat", "heartbeat"),
    source("supabase", "supabase"),
    source("drain", "vercel_drain", settings={"verify": "code-1"}),
    source("drain-done", "vercel_drain"),
]


@pytest.fixture
def reception(redis: Redis, redis_url: str) -> Iterator[Reception]:
    settings = ReceiverSettings(ledger=LedgerSettings(redis_url=redis_url), proxies=("127.0.0.1/32",))
    policy = replace(POLICY, sources={one.name: one for one in SOURCES})
    with running(redis, redis_url, policy=policy, settings=settings) as found:
        yield found


def test_what_comes_from_elsewhere_is_refused_before_it_is_looked_at(reception: Reception) -> None:
    body, headers = b'{"name":"x"}', {"authorization": f"Bearer {SECRET}"}
    assert reception.post("/hooks/near", body, headers).status_code == 202
    answer = reception.post("/hooks/far", body, headers)
    assert (answer.status_code, set(answer.json())) == (403, {"error", "hint"})
    assert reception.post("/hooks/far", body, {**headers, "x-forwarded-for": "192.0.2.9"}).status_code == 202
    assert reception.post("/hooks/near", body, {**headers, "x-forwarded-for": "192.0.2.9"}).status_code == 403
    assert len(reception.entries()) == 2


def test_a_job_says_that_it_ran_by_asking_an_address(reception: Reception) -> None:
    key = heartbeat.key_of("backup", SECRET)
    for method in ("GET", "HEAD", "POST"):
        answer = reception.http.request(
            method, f"{reception.url}/hooks/heartbeat?job=backup&key={key}&state=success"
        )
        assert answer.status_code == 202
    answer = reception.http.request("PUT", f"{reception.url}/hooks/heartbeat?job=backup&key={key}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert reception.get(f"/hooks/heartbeat?job=backup&key={key[:-1]}").status_code == 401
    assert reception.get("/hooks/near").status_code == 405
    assert len(reception.entries()) == 3


def test_an_auth_hook_gets_its_answer_once_it_is_kept(reception: Reception) -> None:
    body, own = (
        senders.body_of("supabase", "auth.password_verification_attempt"),
        senders.source_of("supabase"),
    )
    headers = senders.headers_of(body, own, at=now_ms())
    answer = reception.post("/hooks/supabase", body, headers)
    assert (answer.status_code, answer.json()) == (200, {"decision": "continue"})
    assert answer.headers["content-type"] == "application/json"
    assert len(reception.entries()) == 1
    assert (
        reception.post("/hooks/supabase", body, {**headers, "webhook-signature": "v1,AAA="}).status_code
        == 401
    )


def test_vercel_gets_its_code_back_and_nothing_unsigned_is_answered_but_nothing(reception: Reception) -> None:
    body = b'{"id":"1","message":"hello"}'
    signed = senders.headers_of(body, senders.source_of("vercel_drain"))
    for answer in (
        reception.post("/hooks/drain", b""),
        reception.post("/hooks/drain", b"[]"),
        reception.get("/hooks/drain"),
        reception.post("/hooks/drain", body, signed),
    ):
        assert (answer.status_code, answer.headers["x-vercel-verify"]) == (200, "code-1")
    assert reception.post("/hooks/drain", body).status_code == 401
    assert reception.post("/hooks/drain-done", b"").status_code == 401
    assert reception.post("/hooks/drain-done", body, signed).status_code == 202
    assert len(reception.entries()) == 2
