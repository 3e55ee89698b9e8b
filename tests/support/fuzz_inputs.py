"""Requests that nobody would send in good faith: samples with anything anywhere, signed well, badly or not at all.

Much faster than hypothesis, and blind: for millions of them. What it finds becomes a test with the input in it.
"""

import gzip
import json
import random
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import all_sources
import hostile
import senders
from senders import SECRET

from ledger import catalogue
from receiver import hmacs, samples, standard_signature, twilio_signature
from receiver.samples import Wanted

ODD: list[Any] = [
    None, True, False, 0, -1, 2**31, 2**63, -(2**63), 1e308, -0.0, 0.1, "", " ", "0", "-1", "null", "9" * 400, "\x00", "\ud83d\ude00",
    "\u202e", "é" * 3000, "2026-02-30T99:99:99Z", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59.999999999+14:00", [], {}, [[]], [None],
    {"": ""}, "http://[", "//x", *hostile.VALUES,
]  # fmt: skip
PLACES = [
    "/api/v2/status", "/api/v2/receivers", "/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences", "/api/v2/silence/x", "/healthz",
    "/readyz", "/metrics", "/a/x", "/a/x/approve", "/v2/alerts/requests/u1-0", "/hooks/heartbeat", "/hooks/uptimerobot", "/hooks/nobody", "/status",
]  # fmt: skip
CALLBACKS = [
    "/callbacks/twilio/gather/INC-1-d1", "/callbacks/twilio/status/INC-1-d1", "/callbacks/twilio/machine/INC-1-d1", "/callbacks/twilio/sms",
    "/callbacks/slack/interactions", "/callbacks/slack/commands", "/callbacks/resend", "/callbacks/sendgrid", "/callbacks/telegram",
    "/callbacks/provider/sms/receipts", "/callbacks/provider/sms/replies",
]  # fmt: skip
DOORS = {"prometheus": "/api/v2/alerts", "pagerduty_events": "/v2/enqueue", "opsgenie": "/v2/alerts"}
ACTIONS = ["acknowledge", "close", "notes", "snooze"]
MOST_TIMES = 600
"""How often something may be repeated in one body: beyond what any source takes, and made in milliseconds."""
OPERATOR, PUBLIC = "fuzz-operator", "https://tocsin.example"


@dataclass(frozen=True, slots=True)
class Input:
    """One request, as bytes. `kind` names how it was made."""

    kind: str
    raw: bytes

    @property
    def closes(self) -> bool:
        """What is no HTTP is answered once, if at all."""
        return self.kind == "wire"

    @property
    def waits(self) -> bool:
        """What is answered once it is decided, or after two seconds: here nobody decides."""
        return self.kind == "silence"


def request(
    kind: str, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Input:
    lines = [f"{method} {path} HTTP/1.1", "host: tocsin.example", f"content-length: {len(body)}"]
    lines += [f"{name}: {_line(value)}" for name, value in (headers or {}).items()]
    return Input(kind, "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body)


def _line(value: str) -> str:
    return "".join(each for each in value if each.isprintable() or each > "\x7f")[:8000]


class Maker:
    """`at()` gives ms since the epoch: what is signed is signed now."""

    def __init__(self, seed: int, at: Any) -> None:
        self._any = random.Random(seed)  # noqa: S311  # no secret, and the same again by its seed
        self._at = at
        self._times = MOST_TIMES
        self._sources = list(all_sources.vendors().items())
        self._samples = {
            vendor: [json.loads(samples.make(vendor, name, Wanted(), at())) for name in samples.names(vendor)]
            for vendor in catalogue.sources()
        }

    def all(self) -> Iterator[Input]:
        ways = {
            self._hook: 70,
            self._door: 12,
            self._page: 8,
            self._callback: 7,
            self._silence: 1,
            self._wire: 2,
        }
        while True:
            for way in self._any.choices(list(ways), list(ways.values()), k=1000):
                yield way()

    def _hook(self) -> Input:
        name, vendor = self._any.choice(self._sources)
        body = self._body(vendor)
        headers = self._signed(vendor, body)
        kind = f"hook {vendor}"
        match self._any.randrange(20):
            case 0:
                headers = {each: self._text() for each in headers}
            case 1:
                headers = {}
            case 2:
                headers |= {"content-encoding": self._any.choice(["gzip", "gzip, gzip", "br", "x-gzip", ""])}
            case 3:
                headers |= {"content-encoding": "gzip"}
                body = self._cut(gzip.compress(body, 1, mtime=0))
            case 4:
                headers |= {
                    "content-type": self._any.choice(
                        ["text/plain", "application/x-www-form-urlencoded", "x", self._text()]
                    )
                }
        method = self._any.choices(["POST", "GET", "PUT", "OPTIONS", "HEAD"], [90, 4, 2, 2, 2])[0]
        return request(
            kind, method, f"/hooks/{name}{self._query()}", headers, b"" if method == "HEAD" else body
        )

    def _door(self) -> Input:
        vendor, path = self._any.choice(list(DOORS.items()))
        if vendor == "opsgenie" and self._any.random() < 0.5:
            path += f"/{quote(self._text(), safe='')}/{self._any.choice(ACTIONS)}?identifierType={self._any.choice(['id', 'alias', 'tiny', 'x'])}"
        elif vendor == "pagerduty_events" and self._any.random() < 0.3:
            path = "/v2/change/enqueue"
        body = self._body(vendor)
        return request(f"door {vendor}", "POST", path, self._signed(vendor, body), body)

    def _page(self) -> Input:
        headers = {"authorization": f"Bearer {OPERATOR}", "if-none-match": self._text()}
        method = self._any.choices(["GET", "POST", "DELETE", "HEAD", "TRACE"], [80, 8, 6, 4, 2])[0]
        return request("page", method, self._any.choice(PLACES) + self._query(), headers)

    def _callback(self) -> Input:
        path = self._any.choice(CALLBACKS)
        form = {
            self._any.choice(
                ["Digits", "CallSid", "Body", "From", "CallStatus", "payload", "text"]
            ): self._text()
            for _ in range(3)
        }
        body = (
            urlencode(form).encode()
            if self._any.random() < 0.6
            else self._body(self._any.choice(["slack", "generic"]))
        )
        text = "".join(name + value for name, value in sorted(form.items()))
        at = self._at()
        seconds = str(at // 1000)
        headers = {
            "x-twilio-signature": twilio_signature.sign(PUBLIC + path, text, SECRET, "sha1"),
            "x-slack-request-timestamp": seconds,
            "x-slack-signature": "v0=" + hmacs.hexdigest("sha256", b"v0:%b:%b" % (seconds.encode(), body), SECRET),
            "x-telegram-bot-api-secret-token": SECRET, "authorization": f"Bearer {SECRET}",
            **standard_signature.sign(body, SECRET, at, "msg_1", "svix"),
        }  # fmt: skip
        return request("callback", "POST", path, headers, body)

    def _silence(self) -> Input:
        matcher = {"name": "service", "value": "nobody", "isRegex": False, "isEqual": True}
        told = {
            "matchers": [matcher],
            "startsAt": "2026-01-01T00:00:00Z",
            "endsAt": "2126-01-01T00:00:00Z",
            "createdBy": "x",
            "comment": "x",
        }
        body = json.dumps(self._with(self._with(told))).encode()
        return request("silence", "POST", "/api/v2/silences", {"authorization": f"Bearer {OPERATOR}"}, body)

    def _wire(self) -> Input:
        found = bytearray(self._hook().raw[:2000])
        for _ in range(self._any.randrange(1, 6)):
            found[self._any.randrange(min(len(found), 200))] = self._any.randrange(256)
        return Input("wire", bytes(found) + b"\r\n\r\n")

    def _body(self, vendor: str) -> bytes:
        value = self._any.choice(self._samples[vendor])
        match self._any.randrange(12):
            case 0:
                return self._any.randbytes(self._any.randrange(200))
            case 1:
                return self._cut(self._packed(vendor, value))
            case 2:
                return self._nested()
            case _:
                return self._packed(vendor, self._changed(value))

    def _packed(self, vendor: str, value: Any) -> bytes:
        packed = getattr(catalogue.source(vendor), "packed", None)
        try:
            return bytes(packed(value) if packed else json.dumps(value).encode())
        except (TypeError, ValueError, AttributeError, KeyError, IndexError):
            return json.dumps(value).encode()

    def _changed(self, value: Any) -> Any:
        self._times = MOST_TIMES
        for _ in range(self._any.choice([0, 1, 1, 1, 2, 3])):
            value = self._with(value)
        return value

    def _with(self, value: Any) -> Any:
        """The same with something else somewhere."""
        if not isinstance(value, dict | list) or not value or self._any.random() < 0.15:
            return self._odd(value)
        copy: Any = dict(value) if isinstance(value, dict) else list(value)
        key = self._any.choice(list(copy)) if isinstance(copy, dict) else self._any.randrange(len(copy))
        if self._any.random() < 0.1:
            copy.pop(key)
        else:
            copy[key] = self._with(copy[key])
        return copy

    def _odd(self, value: Any) -> Any:
        match self._any.randrange(6):
            case 0:
                times = self._any.randrange(1 + min(self._times, 300))
                self._times //= max(times, 1)
                return [value] * times
            case 1:
                return {self._text(): value}
            case 2:
                return self._text()
            case _:
                return self._any.choice(ODD)

    def _nested(self) -> bytes:
        deep = self._any.choice([5, 100, 254, 255, 5000])
        opens, closes = self._any.choice([(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
        return opens * deep + b"1" + closes * deep

    def _cut(self, body: bytes) -> bytes:
        found = bytearray(body)
        for _ in range(self._any.randrange(1, 4)):
            if found:
                found[self._any.randrange(len(found))] = self._any.randrange(256)
        return bytes(found[: self._any.randrange(len(found) + 1)] if self._any.random() < 0.3 else found)

    def _signed(self, vendor: str, body: bytes) -> dict[str, str]:
        source = senders.source_of(vendor)
        if vendor == "stripe":  # its library signs text only
            seconds = self._at() // 1000
            return {
                "stripe-signature": f"t={seconds},v1={hmacs.hexdigest('sha256', b'%d.%b' % (seconds, body), SECRET)}"
            }
        try:
            return senders.headers_of(body, source, at=self._at())
        except (ValueError, TypeError, AttributeError, KeyError):
            return {"authorization": f"Bearer {SECRET}"}

    def _query(self) -> str:
        if self._any.random() < 0.8:
            return ""
        names = [
            "filter",
            "receiver",
            "active",
            "silenced",
            "token",
            "job",
            "key",
            "state",
            "identifierType",
            self._text(),
        ]
        return "?" + urlencode(
            [(self._any.choice(names), self._text()) for _ in range(self._any.randrange(4))]
        )

    def _text(self) -> str:
        if self._any.random() < 0.5:
            found = self._any.choice(ODD)
            return str(found)[:600].encode(errors="replace").decode()
        letters = string.printable + "é\u202e\U0001f600"
        return "".join(self._any.choices(letters, k=self._any.randrange(30)))
