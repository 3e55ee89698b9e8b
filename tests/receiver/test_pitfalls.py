"""What others who take webhooks have fallen into, one test each; named after where it happened."""

import ast
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import senders
from reception import POLICY, Reception, running
from redis import Redis

from ledger import catalogue
from ledger.clock import now_ms
from receiver import redaction

ROOT = Path(__file__).parents[2]
VENDORS = ("github", "pagerduty", "standard_webhooks", "statuspage", "twilio_debugger")


@pytest.fixture
def reception(redis: Redis, redis_url: str) -> Iterator[Reception]:
    sources = {vendor: senders.source_of(vendor) for vendor in VENDORS}
    with running(redis, redis_url, policy=replace(POLICY, sources=sources)) as found:
        yield found


def post(reception: Reception, vendor: str, body: bytes, secret: str = senders.SECRET, **more: str) -> int:
    headers = senders.headers_of(body, senders.source_of(vendor), secret=secret, at=now_ms())
    return reception.post(f"/hooks/{vendor}", body, headers | more).status_code


def test_dedupe_poisoning_a_forged_id_does_not_keep_the_real_event_out(reception: Reception) -> None:
    """Convoy looked for repeats before it verified: whoever knew an id could have the event dropped."""
    body = senders.body_of("pagerduty", "incident.triggered", id_="01EVENT")
    assert post(reception, "pagerduty", body, secret="somebody-else") == 401
    assert post(reception, "pagerduty", body) == 202
    assert post(reception, "pagerduty", body) == 202
    assert len(reception.entries()) == 1


def test_replay_without_its_id_a_captured_request_is_no_news(reception: Reception) -> None:
    """Open Mercato's replay check was skipped when the id's header was left out. Here what is not signed is no id."""
    body = senders.body_of("github", "workflow_run.failure")
    for delivery in ("a", "b", ""):
        assert post(reception, "github", body, **{"x-github-delivery": delivery}) == 202
    assert len(reception.entries()) == 1
    signed = senders.headers_of(b"{}", senders.source_of("standard_webhooks"), at=now_ms())
    without = {name: value for name, value in signed.items() if name != "webhook-id"}
    assert reception.post("/hooks/standard_webhooks", b"{}", without).status_code == 401


def test_bad_host_the_host_header_is_no_part_of_what_is_signed(reception: Reception) -> None:
    """CVE-2026-48710: a Host header changed the address a framework told."""
    body = senders.body_of("twilio_debugger", "error")
    assert post(reception, "twilio_debugger", body, host="evil.example") == 202
    headers = senders.headers_of(
        body,
        replace(
            senders.source_of("twilio_debugger"),
            settings={"url": "https://evil.example/hooks/twilio_debugger"},
        ),
    )
    assert (
        reception.post("/hooks/twilio_debugger", body, headers | {"host": "evil.example"}).status_code == 401
    )


def test_form_without_end_its_fields_are_counted_as_it_is_read(reception: Reception) -> None:
    """CVE-2026-54283: limits on fields were ignored for urlencoded forms."""
    fields = b"&".join(b"a%d=1" % number for number in range(20_000))
    assert post(reception, "twilio_debugger", fields) == 401
    assert reception.site.room.used == 0


def test_timing_no_source_compares_what_is_secret_with_equals() -> None:
    """CVE-2022-43412: a token was compared letter by letter."""
    odd = []
    for path in [*(ROOT / "receiver").rglob("*.py"), ROOT / "ledger/standard_webhooks.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                words = ast.unparse(node).lower()
                odd += [
                    f"{path.name}: {words}"
                    for word in ("secret", "hexdigest(", "signature ")
                    if word in words
                ]
    assert odd == []


def test_secrets_in_logs_addresses_that_end_a_subscription_are_not_kept(reception: Reception) -> None:
    body = senders.body_of("statuspage", "incident")
    assert post(reception, "statuspage", body) == 202
    kept = repr(reception.redis.xrange(reception.keys.raw)).encode()
    assert b"Payments are slow" in kept
    assert b"unsubscribe-secret" not in kept
    assert senders.SECRET.encode() not in kept


@pytest.mark.parametrize("vendor", catalogue.sources())
def test_secrets_in_headers_what_proves_a_sender_is_redacted(vendor: str) -> None:
    body, source = senders.body_of(vendor, "something-new"), senders.source_of(vendor)
    own = senders.headers_of(body, source)
    other = senders.headers_of(body, source, secret="another-secret")
    kept = redaction.redacted(own)
    for name in (name for name in own if own[name] != other.get(name)):
        assert kept[name] == redaction.HIDDEN, name


def test_json_of_a_hook_is_read_once_and_strictly(reception: Reception) -> None:
    """Two keys of one name: verified as one thing, read as another."""
    body = (
        b'{"event":{"id":"1","event_type":"pagey.ping"},"event":{"id":"2","event_type":"incident.triggered"}}'
    )
    answer = reception.post(
        "/hooks/pagerduty", body, senders.headers_of(body, senders.source_of("pagerduty"))
    )
    assert (answer.status_code, json.loads(answer.text)["accepted"]) == (202, [])
