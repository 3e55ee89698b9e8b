"""What others who take webhooks have fallen into, one test each; named after what it is called there.

Those of Amazon's SNS are in test_cloudwatch.py, those of HTTP itself in test_wire.py.
"""

import ast
import gzip
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import senders
from reception import POLICY, Reception, running
from redis import Redis

from ledger import catalogue
from ledger.clock import now_ms
from receiver import body as bodies
from receiver import redaction, refuse, strict_json
from receiver.gates import Gates
from routing.errors import BadSignature, Unreadable
from routing.ports import Inbound
from workers.addresses import Guard

ROOT = Path(__file__).parents[2]
VENDORS = ("github", "pagerduty", "standard_webhooks", "statuspage", "twilio_debugger")


@pytest.fixture
def reception(redis: Redis, redis_url: str) -> Iterator[Reception]:
    sources = {vendor: senders.source_of(vendor) for vendor in VENDORS}
    with running(redis, redis_url, policy=replace(POLICY, sources=sources)) as found:
        yield found


SIGNED = [name for name in catalogue.sources() if "over the body" in catalogue.source(name).VERIFIED]
LISTS = {
    "stripe": ("stripe-signature", ",", "v0="),
    "circleci": ("circleci-signature", ",", "v2="),
    "pagerduty": ("x-pagerduty-signature", ",", "v0="),
    "standard_webhooks": ("webhook-signature", " ", "v1a,"),
    "supabase": ("webhook-signature", ", ", "v1a,"),
}
"""Whose signatures come in a list: its header, what is between two of them, and the mark of another version."""
VERSIONS = LISTS | {
    "slack": ("x-slack-signature", ",", "v1="),
    "github": ("x-hub-signature-256", ",", "sha1="),
}


def verified(vendor: str, body: bytes, headers: dict[str, str]) -> bool:
    source = senders.source_of(vendor)
    try:
        catalogue.source(vendor).verify(Inbound(body, headers, {}, senders.NOW), [senders.SECRET], source)
    except BadSignature:
        return False
    return True


def signed(vendor: str) -> tuple[bytes, dict[str, str]]:
    body = senders.body_of(vendor, "auth.send_email" if vendor == "supabase" else "something-new")
    return body, senders.headers_of(body, senders.source_of(vendor))


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
    words = ("secret", "digest", "token", "given", "password", "signature ")
    harmless = {"kind == 'custom_access_token'", "len(given) == len(prefix)"}
    odd = []
    for path in [
        *(ROOT / "receiver").rglob("*.py"),
        *(ROOT / f"ledger/{name}.py" for name in ("standard_webhooks", "links", "handing")),
    ]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                said = ast.unparse(node).lower()
                if any(word in said for word in words) and said not in harmless:
                    odd.append(f"{path.name}: {said}")
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


@pytest.mark.parametrize("vendor", SIGNED)
def test_re_serialised_json_is_not_what_was_signed(vendor: str) -> None:
    """Sentry's documentation, and many a framework, signs JSON that was read and written anew."""
    body, headers = signed(vendor)
    assert verified(vendor, body, headers)
    assert json.loads(body) == json.loads(anew := json.dumps(json.loads(body)).encode())
    assert body != anew
    assert not verified(vendor, anew, headers)


@pytest.mark.parametrize("vendor", LISTS)
def test_signature_list_parsing_a_right_one_counts_at_any_place_and_nothing_else_does(vendor: str) -> None:
    """CVE-2025-53548 (Clerk): a list was taken apart so that a forgery beside a real prefix was let through."""
    (name, between, _), (body, good) = LISTS[vendor], signed(vendor)
    *first, right = good[name].split(between)
    mark, sign = right[:3], right[3:]
    wrong = mark + sign[::-1]
    for listed in ([right, wrong], [wrong, right], [wrong, right, wrong], [right, right]):
        assert verified(vendor, body, {**good, name: between.join([*first, *listed])}), listed
    for listed in ([wrong], [sign], [sign, mark], [mark], ["", ""], [mark + mark + sign], [wrong, sign]):
        assert not verified(vendor, body, {**good, name: between.join([*first, *listed])}), listed
    endless = [wrong] * 5000 + [right]
    if vendor != "stripe":  # all of it is compared there, by the library itself
        assert not verified(vendor, body, {**good, name: between.join([*first, *endless])})


@pytest.mark.parametrize("vendor", VERSIONS)
def test_downgrade_another_version_s_mark_makes_no_signature(vendor: str) -> None:
    """CircleCI asks for it by name: only the newest version counts, or who forges chooses the weakest."""
    (name, _, other), (body, good) = VERSIONS[vendor], signed(vendor)
    mark = next(each for each in ("sha256=", "v1=", "v0=", "v1,") if each in good[name])
    assert not verified(vendor, body, {**good, name: good[name].replace(mark, other)})


def test_verifier_fail_open_what_cannot_be_verified_is_refused(reception: Reception) -> None:
    """Convoy 2656: a source whose verifier was unknown took everything."""
    sources = {
        "unknown": replace(senders.source_of("github"), name="unknown", vendor="of_a_newer_release"),
        "unarmed": replace(senders.source_of("github"), name="unarmed", secrets=()),
        "blank": replace(senders.source_of("github"), name="blank", secrets=("",)),
    }
    gates = Gates(lambda _: None, catalogue.source, {})
    gates.take(replace(POLICY, sources=sources))
    assert gates.strange == ["of_a_newer_release"]
    assert [gate.source.name for gate in gates.all() if gate.secrets] == []
    reception.site.gates.take(replace(POLICY, version="later", sources=sources))
    body, headers = signed("github")
    answers = {name: reception.post(f"/hooks/{name}", body, headers).status_code for name in sources}
    assert answers == {"unknown": 404, "unarmed": 404, "blank": 503}
    assert reception.entries() == []


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fe80::1", "fc00::1",
     "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "fd00:ec2::254", "224.0.0.1"],
)  # fmt: skip
def test_ssrf_by_config_what_a_payload_names_leads_nowhere_inside(address: str) -> None:
    """CVE-2025-6454 (GitLab). How names are looked up once and pinned: tests/workers/test_request.py."""
    assert not Guard().allows(address)


def test_body_size_no_framework_reads_a_body_of_the_internet_s() -> None:
    """CVE-2024-47874, CVE-2025-54121, CVE-2026-54283: all of them in `request.form()`."""
    found = [
        f"{path.name}: {word}"
        for path in (ROOT / "receiver").rglob("*.py")
        for word in (
            ".form(",
            "request.body(",
            "request.json(",
            "request.stream(",
            "FileResponse",
            "StaticFiles",
        )
        if word in path.read_text()
    ]
    assert found == [], "read it with receiver/body.py; files, and so ranges (CVE-2025-62727), are not served"


def test_zip_bomb_no_more_is_unpacked_than_may_be() -> None:
    """Log drains come packed: 100 MB fit into 100 KB."""
    bomb, packed = gzip.compress(b"0" * 100_000_000, 9, mtime=0), {"content-encoding": "gzip"}
    tracemalloc.start()
    for limit, most in ((1_048_576, 1_048_576), (1_000_000_000, 200 * len(bomb))):
        tracemalloc.reset_peak()
        with pytest.raises(refuse.Refused) as refused:
            bodies.unpack(bomb, packed, limit)
        assert refused.value.status == 413
        assert tracemalloc.get_traced_memory()[1] < 4 * most, (
            "unpacked as far as the limit, twice while it grows"
        )
    tracemalloc.stop()
    assert bodies.unpack(gzip.compress(b"0" * 65_536, mtime=0), packed, 1_048_576) == b"0" * 65_536
    twice = gzip.compress(gzip.compress(b"0", mtime=0), mtime=0)
    assert bodies.unpack(twice, packed, 1_048_576) == gzip.compress(b"0", mtime=0), "unpacked once"


@pytest.mark.parametrize(
    ("body", "why"),
    [(b"[" * 100_000, "not JSON"), (b"[" * 255 + b"]" * 255, "nested"), (b'{"a":' * 1000 + b"1" + b"}" * 1000, "nested"),
     (b"NaN", "not JSON"), (b'{"a":Infinity}', "not JSON"), (b"-Infinity", "not JSON"), (b'{"a":1,"a":2}', "more than once"),
     (b'{"b":{"a":1,"\\u0061":2}}', "more than once"), (b"\xef\xbb\xbf{}", "not JSON"), (b'"\xff"', "not JSON"), (b'"\\ud800"', "not JSON"),
     (b"[1,]", "not JSON"), (b"01", "not JSON"), (b"{}{}", "not JSON"), (b"'a'", "not JSON")],
)  # fmt: skip
def test_json_has_one_meaning_or_none(body: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        strict_json.loads(body)


@pytest.mark.parametrize(
    "number", ["9" * 5000, str(2**64), str(-(2**63) - 1), "1e400", "1" + "0" * 400, "1.5", "true"]
)
def test_json_a_huge_number_is_no_whole_one_and_costs_nothing(number: str) -> None:
    """Python reads a number of thousands of digits in quadratic time, or refuses it with a ValueError."""
    with pytest.raises(Unreadable):
        strict_json.whole_of(strict_json.object_of(strict_json.loads(b'{"at":%b}' % number.encode())), "at")


def test_noisy_source_one_that_floods_starves_no_other(redis: Redis, redis_url: str) -> None:
    """Signet 63: one bucket for all let the loudest have it."""
    noisy = replace(senders.source_of("github"), rate=1)
    sources = {"github": noisy, "pagerduty": senders.source_of("pagerduty")}
    with running(redis, redis_url, policy=replace(POLICY, sources=sources)) as reception:
        for number in range(40):
            sent = senders.body_of("github", "ping", id_="")
            answer = reception.post("/hooks/github", sent, senders.headers_of(sent, noisy))
            assert answer.status_code == 202 or (answer.status_code, answer.headers["retry-after"]) == (
                503,
                "2",
            ), number
        assert answer.status_code == 503
        quiet = senders.body_of("pagerduty", "incident.triggered")
        assert post(reception, "pagerduty", quiet) == 202
