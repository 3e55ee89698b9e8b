"""What every source must have, whichever vendor it is: to be complete, to refuse forgeries, to read whatever comes."""

import gzip
import json
import time
from dataclasses import replace
from typing import Any

import pytest
import senders
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from senders import NOW, SECRET, body_of, everything, headers_of, source_of

from ledger import catalogue
from receiver import samples
from receiver.refuse import Refused
from routing.errors import BadSignature, Unreadable
from routing.event import Status
from routing.instant import HOUR, MINUTE
from routing.ports import Inbound, Parsed

VENDORS = catalogue.sources()
INFORMS = {
    "booksy": "appointments come and go; none of it is a condition",
    "slack": "what people say or press",
    "supabase": "rows, log lines and sign-ins; rules say which matter",
    "twilio_debugger": "each error once; Twilio does not say when it is over",
    "vercel_drain": "log lines",
}
"""Those that report no condition, and why. Every other shows how one begins and how it ends."""
ENDS_OTHERWISE = {"opsgenie": "close, a command: test_genie_api.py"}


def verified(vendor: str, body: bytes, headers: dict[str, str], now: int = NOW, secret: str = SECRET) -> bool:
    """Refused in good order; any other exception is a failure of the test."""
    try:
        catalogue.source(vendor).verify(Inbound(body, headers, {}, now), [secret], source_of(vendor))
    except BadSignature:
        return False
    return True


def first(vendor: str) -> bytes:
    return body_of(vendor, samples.names(vendor)[0])


# ── complete ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_source_says_what_it_is_and_how_it_is_set_up(vendor: str) -> None:
    module: Any = catalogue.source(vendor)
    for name in ("TITLE", "SETUP", "VERIFIED", "REPEAT"):
        assert getattr(module, name).strip(), name
    assert "<tocsin>" in module.SETUP or f"tocsin {vendor}" in module.SETUP, "the address to send to"
    assert any(word in module.SETUP for word in ("_SECRET", "_TOKEN", "<token>", "token")), "what verifies it"
    assert module.SETUP.isascii() or "\t" not in module.SETUP


@pytest.mark.parametrize("vendor", VENDORS)
def test_its_samples_show_each_state_it_reports_and_the_ends_fit_the_beginnings(vendor: str) -> None:
    events = [event for name in samples.names(vendor) for event in senders.events_of(vendor, name)]
    states = catalogue.source(vendor).STATES
    assert {event.status for event in events} == states
    ended = {event.key for event in events if event.status is Status.RESOLVED}
    begun = {event.key for event in events if event.status is Status.FIRING}
    assert bool(begun) == (vendor not in INFORMS), "a sample of what begins, or its reason in INFORMS"
    assert bool(ended) == (vendor not in {*INFORMS, *ENDS_OTHERWISE}), "a sample of what ends"
    assert not ended or ended & begun, "no sample ends what another began"
    assert "something-new" in samples.names(vendor), "a type nobody knows"


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_repeat_is_what_the_module_says_it_is(vendor: str) -> None:
    """What is "the same ..." has an id that stays when it is sent again, signed anew; what is news has none."""
    source = source_of(vendor, **WITH_ID.get(vendor, {}))
    ids: set[str] = set()
    for name in samples.names(vendor):
        body, (path, query) = body_of(vendor, name), senders.place_of(vendor, name)
        found = []
        for at in (NOW, NOW + MINUTE):
            headers = headers_of(body, source, at=NOW if vendor in ID_IN_SIGNATURE else at) | RESENT
            request = senders.admitted(source, body, headers, now=at, path=path, query=query)
            found.append([event.vendor_id for event in request.events])
        assert found[0] == found[1], name
        ids.update(filter(None, found[0]))
    news = catalogue.source(vendor).REPEAT.startswith("news")
    assert bool(ids) == (not news), "REPEAT says another thing than vendor_id"


WITH_ID = {"generic": {"settings": {"id": "id"}}}
ID_IN_SIGNATURE = {"standard_webhooks", "supabase"}
RESENT = {"idempotency-key": "0195f1c2"}
"""GitLab's, of its redeliveries."""


@pytest.mark.parametrize(("vendor", "name"), everything())
def test_a_sample_is_verified_kept_whole_and_the_same_when_it_comes_again(vendor: str, name: str) -> None:
    source = source_of(vendor)
    body = body_of(vendor, name)
    path, query = senders.place_of(vendor, name)
    request = senders.admitted(source, body, headers_of(body, source), path=path, query=query)
    assert request.events
    assert not request.dead
    again = senders.admitted(source, body, headers_of(body, source), path=path, query=query)
    assert [event[1:] for event in again.events] == [event[1:] for event in request.events]
    for event in senders.read(body, source, path, query).events:
        assert (event.source, event.vendor) == (vendor, vendor)
        assert event.kind
        assert event.title.strip() == event.title != ""
        assert 0 <= NOW - event.starts_at <= 600_000 or event.starts_at == 0
        assert all(isinstance(each, str) and each for each in event.labels.values())


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b'"x"', b"[[]]", b"{}", b'{"a":1,"a":2}', b"\xff", b"a=%ff&a=1", b"[" * 9000]
)
def test_what_is_malformed_is_a_dead_letter(vendor: str, body: bytes) -> None:
    try:
        found = senders.read(body, source_of(vendor))
    except Unreadable:
        return
    assert not found.events
    assert vendor == "prometheus" or found.unread, "an empty list of alerts is one"


# ── forged ───────────────────────────────────────────────────────────────────────────────────────────────


def secret_headers(vendor: str) -> dict[str, str]:
    """Those headers that prove something: they differ under another secret."""
    body, source = first(vendor), source_of(vendor)
    own, other = headers_of(body, source), headers_of(body, source, secret="another-secret")
    return {name: value for name, value in own.items() if other.get(name) != value}


@pytest.mark.parametrize("vendor", VENDORS)
def test_forgeries_are_refused(vendor: str) -> None:
    body, source = first(vendor), source_of(vendor)
    good = headers_of(body, source)
    assert verified(vendor, body, good)
    proof = secret_headers(vendor)
    assert proof
    forged = {
        "without it": {name: value for name, value in good.items() if name not in proof},
        "empty": {**good, **dict.fromkeys(proof, "")},
        "nonsense": {**good, **dict.fromkeys(proof, "nonsense,=;: \t!")},
        "not ASCII": {**good, **{name: f"{value[:-1]}é" for name, value in proof.items()}},
        "surrogates": {**good, **{name: f"{value[:-1]}\udcff" for name, value in proof.items()}},
        "truncated": {**good, **{name: value[:-2] for name, value in proof.items()}},
        "one bit": {**good, **{name: flipped(value) for name, value in proof.items()}},
        "wrong prefix": {**good, **{name: f"v9={value}" for name, value in proof.items()}},
        "of nobody": headers_of(body, source, secret="another-secret"),
    }
    assert [what for what, headers in forged.items() if verified(vendor, body, headers)] == []
    assert not verified(vendor, body, headers_of(body, source, secret="\t"), secret="\t"), (
        "a blank secret verifies nothing"
    )
    assert not verified(vendor, body, good, secret="")


def flipped(value: str) -> str:
    """One bit of the last letter but two that is a letter or digit: what it decodes to is another then."""
    at = len(value) - 4
    return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]


@pytest.mark.parametrize("vendor", [name for name in VENDORS if "over" in catalogue.source(name).VERIFIED])
def test_a_signature_is_of_this_body_and_no_other(vendor: str) -> None:
    body = first(vendor)
    headers = headers_of(body, source_of(vendor))
    assert verified(vendor, body, headers)
    assert not verified(vendor, body + b" ", headers)
    assert not verified(vendor, body[:-1] + bytes([body[-1] ^ 1]), headers)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_signed_time_may_be_neither_old_nor_ahead(vendor: str) -> None:
    body, source = first(vendor), source_of(vendor)
    if headers_of(body, source) == headers_of(body, source, at=NOW - HOUR) or vendor == "sentry":
        return  # it signs no time
    for at, good in (
        (NOW, True),
        (NOW - 4 * MINUTE, True),
        (NOW + 4 * MINUTE, True),
        (NOW - HOUR, False),
        (NOW + HOUR, False),
    ):
        assert verified(vendor, body, headers_of(body, source, at=at)) == good, at - NOW


@pytest.mark.parametrize("vendor", VENDORS)
def test_without_a_secret_nothing_is_taken(vendor: str) -> None:
    body, source = first(vendor), source_of(vendor)
    with pytest.raises(Refused, match="cannot verify"):
        senders.admitted(replace(source, secrets=()), body, headers_of(body, source))


@pytest.mark.parametrize("vendor", ["github", "supabase", "sentry", "generic", "grafana"])
def test_a_packed_body_is_verified_unpacked(vendor: str) -> None:
    body, source = first(vendor), source_of(vendor)
    headers = {**headers_of(body, source), "content-encoding": "gzip"}
    assert senders.admitted(source, gzip.compress(body), headers).events


# ── whatever comes ───────────────────────────────────────────────────────────────────────────────────────

_leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(
    [2**63, -(2**64), 1e308, "9" * 400, "\x00", "2026-02-30T99:99:99Z", "é" * 3000])  # fmt: skip
_json = st.recursive(
    _leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4), max_leaves=12
)  # fmt: skip


def reads(vendor: str, body: bytes) -> None:
    """Parsed or Unreadable, never anything else, and soon."""
    began = time.process_time()
    try:
        found = senders.read(body, source_of(vendor))
    except Unreadable:
        pass
    else:
        assert isinstance(found, Parsed)
        for event in found.events:
            assert all(isinstance(each, str) for each in (*event.labels.values(), *event.details.values()))
            assert max(map(len, (event.kind, event.key, event.title, event.vendor_id))) <= 500
    assert time.process_time() - began < 1


@pytest.mark.parametrize("vendor", VENDORS)
@given(body=st.binary(max_size=200) | _json.map(lambda value: json.dumps(value).encode()))
@examples(25)
def test_bytes_of_any_kind_are_read_or_unreadable(vendor: str, body: bytes) -> None:
    reads(vendor, body)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, each in inner for found in _paths(each, (*path, key)))]


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(copy[path[0]], path[1:], new)
    return copy


@pytest.mark.parametrize("vendor", VENDORS)
@given(data=st.data())
@examples(50)
def test_a_sample_with_anything_anywhere_is_read_or_unreadable(vendor: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(samples.names(vendor)))
    value = json.loads(samples.make(vendor, name, samples.Wanted(), NOW))
    for _ in range(data.draw(st.integers(1, 3))):
        value = _with(value, data.draw(st.sampled_from(_paths(value))), data.draw(_json))
    packed = getattr(catalogue.source(vendor), "packed", None)
    try:
        body = packed(value) if packed else json.dumps(value).encode()
    except (TypeError, ValueError, AttributeError):
        body = json.dumps(value).encode()
    reads(vendor, body)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_large_body_is_read_in_bounded_time(vendor: str) -> None:
    size = 200_000
    for body in (
        b'{"a":[' + b"1," * size + b"1]}",
        b'{"type":"' + b"a" * size + b'"}',
        b"[" + b"{}," * (size // 4) + b"{}]",
        b"{}\n" * (size // 4),
        b"a=b&" * (size // 4),
    ):
        reads(vendor, body)
