"""Bad input at every entry point: the documented status and hint, counted, no secret told, nothing broken.

One table of what is wrong, played at `/hooks/{source}` of vendors of each kind, at `/api/v2/alerts`, at Twilio's
callbacks and at the links that acknowledge. See docs/sources.md and docs/security.md for what is promised.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from prometheus_client.parser import text_string_to_metric_families
from reception import POLICY, Reception, running
from redis import Redis

from ledger import catalogue, links
from ledger.clock import now_ms
from receiver import hmacs, samples, twilio_signature
from receiver.samples import Wanted
from routing.instant import HOUR
from routing.policy import Source
from routing.reason import Origin

SECRET = "whsec_dGhlIHNlY3JldCBvZiBldmVyeSBzb3VyY2U="
PUBLIC = "https://tocsin.example"
MARK = b"do-not-tell-this"
"""In each bad body: no answer may repeat it."""
DEEP = b'{"a":' * 500 + b'"%b"' % MARK + b"}" * 500
BIG = b" " * 10_000_000
ALERTS = "/api/v2/alerts"
TAKEN, DEAD = "taken", "dead letter"

Bad = tuple[bytes, dict[str, str]]


@dataclass(frozen=True)
class Entry:
    """A way in, and how to knock there as the vendor would."""

    path: str
    source: str
    vendor: str = ""

    def sign(self, body: bytes, *, secret: str = SECRET, at_ms: int = 0) -> dict[str, str]:
        at = now_ms() + at_ms
        if self.vendor == "stripe":  # the library behind the module signs text only
            digest = hmacs.hexdigest("sha256", b"%d.%b" % (at // 1000, body), secret)
            return {"stripe-signature": f"t={at // 1000},v1={digest}"}
        return catalogue.source(self.vendor).sign(body, secret, at)

    def sample(self) -> bytes:
        return samples.make(self.vendor, samples.names(self.vendor)[0], Wanted(), now_ms())

    @property
    def dates(self) -> bool:
        """Whether the vendor signs the time, so that a signature can be old."""
        return self.sign(b"{}") != self.sign(b"{}", at_ms=-HOUR)


VENDORS = ("alertmanager", "heartbeat", "prometheus", "standard_webhooks", "stripe", "vercel")
"""One of each way to verify and to answer. Every other is held to the same in test_every_source.py, without a server."""
ENTRIES = [Entry(f"/hooks/{name}", name, name) for name in VENDORS]
ENTRIES.append(Entry(ALERTS, "prometheus", "prometheus"))


def unsigned(entry: Entry) -> Bad:
    return entry.sample(), {}


def forged(entry: Entry) -> Bad:
    body = entry.sample()
    return body, entry.sign(body, secret="somebody-else")


def malformed(entry: Entry) -> Bad:
    body = entry.sample()
    return body, dict.fromkeys(entry.sign(body), "nonsense,=;: \t!")


def cut(entry: Entry) -> Bad:
    body = entry.sample()
    return body, {name: value[: len(value) // 2] for name, value in entry.sign(body).items()}


def off_by(ms: int) -> Callable[[Entry], Bad]:
    def make(entry: Entry) -> Bad:
        body = entry.sample()
        return body, entry.sign(body, at_ms=ms)

    return make


def with_header(name: str, value: str) -> Callable[[Entry], Bad]:
    def make(entry: Entry) -> Bad:
        body = entry.sample()
        return body, {**entry.sign(body), name: value}

    return make


def signed(body: bytes) -> Callable[[Entry], Bad]:
    return lambda entry: (body, entry.sign(body))


def packed(size: int) -> Callable[[Entry], Bad]:
    body = gzip.compress(b"0" * size, mtime=0)
    return lambda entry: (body, {**entry.sign(body), "content-encoding": "gzip"})


def of_unknown_type(entry: Entry) -> Bad:
    body = entry.sample().replace(TYPES[entry.vendor], b"something.new", 1)
    assert b"something.new" in body
    return body, entry.sign(body)


TYPES = {"stripe": b"charge.dispute.closed", "vercel": b"alerts.triggered", "alertmanager": b"HighErrorRate",
         "prometheus": b"HighErrorRate"}  # fmt: skip
"""What names the type in each vendor's first sample."""

# (what is wrong, how it is made, status or what becomes of it, label `why` of tocsin_refused_total, what the answer says)
WRONG: list[tuple[str, Callable[[Entry], Bad], int | str, str, str]] = [
    ("missing signature", unsigned, 401, "signature", ""),
    ("wrong signature", forged, 401, "signature", ""),
    ("malformed signature", malformed, 401, "signature", ""),
    ("signature cut in half", cut, 401, "signature", ""),
    ("old signature", off_by(-HOUR), 401, "signature", "old"),
    ("future signature", off_by(HOUR), 401, "signature", "future"),
    ("wrong content type", with_header("content-type", "image/png"), TAKEN, "", ""),
    ("content type of a form", with_header("content-type", "application/x-www-form-urlencoded"), TAKEN, "", ""),
    ("unknown event type", of_unknown_type, TAKEN, "", ""),
    ("0 bytes", signed(b""), DEAD, "", ""),
    ("no JSON", signed(b"<xml>" + MARK), DEAD, "", ""),
    ("deep JSON", signed(DEEP), DEAD, "", ""),
    ("endless lists", signed(b"[" * 100_000), DEAD, "", ""),
    ("NaN", signed(b'{"a": NaN, "b": "%b"}' % MARK), DEAD, "", ""),
    ("invalid UTF-8", signed(b'{"a": "\xff%b"}' % MARK), DEAD, "", ""),
    ("duplicate keys", signed(b'{"a": "%b", "a": 2}' % MARK), DEAD, "", ""),
    ("10 MB", signed(BIG), 413, "too_large", "max_bytes"),
    ("gzip bomb", packed(20_000_000), 413, "too_large", "max_bytes"),
    ("dense gzip", packed(500_000), 413, "too_large", "max_bytes"),
]  # fmt: skip


@pytest.fixture
def reception(redis: Redis, redis_url: str) -> Iterator[Reception]:
    """Every vendor's source, all with the same secret."""
    sources = {name: Source(name, name, (SECRET,), Origin("config/sources.yaml", 1)) for name in VENDORS}
    with running(redis, redis_url, policy=replace(POLICY, sources=sources)) as found:
        yield found


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.path)
def test_every_bad_request_gets_its_documented_answer_and_is_counted(
    reception: Reception, entry: Entry
) -> None:
    failed = {}
    for what, make, status, why, said in WRONG:
        if what == "unknown event type" and entry.vendor not in TYPES:
            continue
        expected: int | str = TAKEN if what.split()[0] in {"old", "future"} and not entry.dates else status
        body, headers = make(entry)
        before = counted(reception)
        answer = reception.post(entry.path, body, headers)
        found = judged(entry, answer.status_code, answer.text, expected, said)
        found += told(answer.text + str(answer.headers))
        found += miscounted(entry, before, counted(reception), expected, why, answer.status_code)
        if found:
            failed[what] = found
    assert failed == {}
    assert still_well(reception, entry)


def judged(entry: Entry, status: int, text: str, expected: int | str, said: str) -> list[str]:
    """What is wrong with an answer. Where it is Alertmanager's interface, so are the answers to what was kept."""
    if entry.path == ALERTS and not isinstance(expected, int):
        want = {TAKEN: (200, ""), DEAD: (400, "invalid, kept as dead letters")}[expected]
        return [] if status == want[0] and want[1] in text else [f"{status}: {text}"]
    if status != (expected if isinstance(expected, int) else 202):
        return [f"{status}: {text}"]
    answer = json.loads(text)
    if isinstance(expected, int):
        good = set(answer) == {"error", "hint"} and all(answer.values()) and said in str(answer)
    else:
        good = list(map(bool, (answer["accepted"], answer["dead"]))) == [expected == TAKEN, expected == DEAD]
    return [] if good else [text]


def told(text: str) -> list[str]:
    """What should not have been repeated."""
    return [
        word for word in (SECRET, SECRET[6:], MARK.decode(), "somebody-else", "Traceback") if word in text
    ]


def counted(reception: Reception) -> dict[tuple[str, ...], float]:
    """Every sample of /metrics that counts requests: (name, labels' values...) -> count."""
    names = (
        "tocsin_refused_total",
        "tocsin_accepted_total",
        "tocsin_unreadable_total",
        "tocsin_http_answers_total",
    )
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(reception.get("/metrics").text)
        for sample in family.samples
        if sample.name in names
    }


def miscounted(
    entry: Entry,
    before: Mapping[Any, float],
    after: Mapping[Any, float],
    expected: int | str,
    why: str,
    status: int,
) -> list[str]:
    """Every refusal, dead letter or event is one more, under its source; and so is every answer."""
    # Before a token is checked nobody knows which of its sources the Alertmanager interface is asked for.
    source = "" if entry.path == ALERTS and expected == 401 else entry.source
    route = "alerts_api" if entry.path == ALERTS else "hooks"
    what = {TAKEN: "tocsin_accepted_total", DEAD: "tocsin_unreadable_total"}.get(
        str(expected), "tocsin_refused_total"
    )
    keys: list[tuple[str, ...]] = [(what, source, why) if isinstance(expected, int) else (what, source)]
    keys += [("tocsin_http_answers_total", route, source, str(status))]
    return [f"{key} is not counted" for key in keys if after.get(key, 0) <= before.get(key, 0)]


def still_well(reception: Reception, entry: Entry) -> bool:
    body = entry.sample()
    good = reception.post(entry.path, body, entry.sign(body)).status_code in {200, 202}
    return good and reception.get("/readyz").status_code == 200 and reception.site.room.used == 0


@pytest.mark.parametrize("name", ["nobody", "tocsin", "", "stripe/more", "%00", "..%2f", "x" * 3000])
def test_an_unknown_source_is_not_found_and_counted_under_no_name(reception: Reception, name: str) -> None:
    answer = reception.post(f"/hooks/{name}", MARK)
    assert answer.status_code == 404
    assert "tocsin sources list" in answer.json()["hint"]
    assert counted(reception)["tocsin_refused_total", "", "unknown_source"] == 1
    assert told(answer.text) == []


# ── Twilio's callbacks ──────────────────────────────────────────────────────────────────────────────────


def twilio(path: str, body: bytes, *, secret: str = "12345") -> dict[str, str]:
    """As Twilio signs a form whose every field has one value."""
    fields = sorted(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    text = "".join(name + value for name, value in fields)
    return {"x-twilio-signature": twilio_signature.sign(PUBLIC + path, text, secret, "sha1")}


FORM = urlencode({"CallSid": "CA1", "Digits": "4", "CallStatus": "completed", "Body": "ack"}).encode()
CALLBACKS = [
    "/callbacks/twilio/gather/INC-1-d1",
    "/callbacks/twilio/status/INC-1-d1",
    "/callbacks/twilio/sms",
]
# (what is wrong, body, whether it is signed and by what, status, why)
WRONG_CALLS: list[tuple[str, bytes, str, int, str]] = [
    ("missing signature", FORM, "", 401, "signature"),
    ("wrong signature", FORM, "another-token", 401, "signature"),
    ("malformed signature", FORM, "!", 401, "signature"),
    ("signature of another call", FORM + b"&More=1", "of FORM", 401, "signature"),
    ("JSON instead of a form", b'{"a": NaN}' + MARK, "of FORM", 401, "signature"),
    ("deep JSON", DEEP, "of FORM", 401, "signature"),
    ("0 bytes", b"", "of FORM", 401, "signature"),
    ("one field twice", FORM + b"&Digits=6", "of FORM", 401, "signature"),
    ("invalid UTF-8", b"Digits=\xff" + MARK, "12345", 400, "form"),
    ("a thousand fields", b"&".join(b"a%d=1" % number for number in range(1000)), "12345", 400, "form"),
    ("10 MB", BIG, "of FORM", 413, "too_large"),
    ("gzip bomb", gzip.compress(b"0" * 20_000_000, mtime=0), "of FORM", 400, "form"),
]


@pytest.mark.parametrize("path", CALLBACKS)
def test_every_bad_callback_is_refused_with_a_hint_and_counted(reception: Reception, path: str) -> None:
    failed = {}
    for what, body, signer, status, why in WRONG_CALLS:
        before = counted(reception)
        answer = reception.post(path, body, call_headers(path, body, signer))
        after = counted(reception)
        key = ("tocsin_refused_total", "", why)
        found = told(answer.text + str(answer.headers))
        if answer.status_code != status or not all(answer.json().get(each) for each in ("error", "hint")):
            found.append(f"{answer.status_code}: {answer.text}")
        if after.get(key, 0) <= before.get(key, 0):
            found.append("it is not counted")
        if found:
            failed[what] = found
    assert failed == {}
    assert reception.entries() == []
    assert reception.post(path, FORM, twilio(path, FORM)).status_code == 200
    assert counted(reception)["tocsin_accepted_total", "twilio"] == 1


@pytest.mark.parametrize("kind", ["application/json", "image/png", "multipart/form-data; boundary=x", ""])
def test_the_content_type_of_a_callback_does_not_matter_its_signature_does(
    reception: Reception, kind: str
) -> None:
    path = CALLBACKS[0]
    answer = reception.post(path, FORM, {**twilio(path, FORM), "content-type": kind})
    assert answer.status_code == 200
    assert len(reception.entries()) == 1


def call_headers(path: str, body: bytes, signer: str) -> dict[str, str]:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    if signer in {"", "!"}:
        return {**headers, "x-twilio-signature": "!;="} if signer else headers
    return {**headers, **(twilio(path, FORM) if signer == "of FORM" else twilio(path, body, secret=signer))}


@pytest.mark.parametrize(
    "path", ["/callbacks/twilio/gather/a%20b", "/callbacks/twilio/x", "/callbacks/twilio/gather/"]
)
def test_a_callback_for_nothing_is_not_found_and_counted(reception: Reception, path: str) -> None:
    answer = reception.post(path, FORM, twilio(path, FORM))
    assert (answer.status_code, set(answer.json())) == (404, {"error", "hint"})
    assert counted(reception)["tocsin_refused_total", "", "unknown_path"] == 1


# ── links that acknowledge ──────────────────────────────────────────────────────────────────────────────


def link(*, secret: str = "link-secret", at_ms: int = HOUR) -> str:
    return links.make(secret, "INC-1-d1", now_ms() + at_ms)


WRONG_LINKS: dict[str, Callable[[], str]] = {
    "wrong signature": lambda: link(secret="another"),
    "old": lambda: link(at_ms=-1),
    "cut": lambda: link()[:-1],
    "longer": lambda: link() + "A",
    "another delivery": lambda: link().replace("d1", "d2"),
    "later than it was made for": lambda: link().replace(".", ".9", 1),
    "malformed": lambda: "...",
    "not ASCII": lambda: "%C3%A9.%FF.x",
    "endless": lambda: "a" * 10_000,
}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_bad_link_is_refused_with_a_hint_and_counted(reception: Reception, method: str) -> None:
    failed = {}
    for what, make in WRONG_LINKS.items():
        before = counted(reception)
        answer = reception.http.request(method, f"{reception.url}/a/{make()}", content=MARK)
        key = ("tocsin_refused_total", "ack_link", "signature")
        if answer.status_code != 401 or "cannot be used" not in answer.text or told(answer.text):
            failed[what] = answer.text
        if counted(reception).get(key, 0) <= before.get(key, 0):
            failed[what] = "it is not counted"
    assert failed == {}
    assert reception.entries() == []


@pytest.mark.parametrize(
    "body", [b"", BIG, DEEP, b"\xff\x00"], ids=["0 bytes", "10 MB", "deep JSON", "no text"]
)
def test_the_body_of_a_good_link_is_not_even_read(reception: Reception, body: bytes) -> None:
    answer = reception.post(f"/a/{link()}", body)
    assert answer.status_code == 200
    assert len(reception.entries()) == 1
