"""Every vendor as a sender: its samples as it would write, sign and send them, and a source that takes them."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote

from reception import HERE

from ledger import catalogue
from ledger.log import Request
from receiver import intake, samples
from receiver.gates import Gates
from receiver.samples import Wanted
from routing.event import Event
from routing.policy import Source
from routing.ports import Inbound, Parsed

NOW = 1_764_000_000_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SETTINGS: dict[str, dict[str, Any]] = {
    "cloudwatch": {"topics": ["arn:aws:sns:eu-central-1:123456789012:alarms"], "rehearsals": True},
    "cloudevents": {"opens": ["*.failed"], "closes": ["*.recovered"]},
    "email": {"opens": ["*DOWN*"], "closes": ["*UP*"]},
    "twilio_debugger": {"url": "https://tocsin.example/hooks/twilio_debugger"},
    "standard_webhooks": {"opens": ["*.failed"], "closes": ["*.recovered"]},
}
"""What a source of the vendor needs before it takes anything."""


def source_of(vendor: str, **more: Any) -> Source:
    settings = more.pop("settings", SETTINGS.get(vendor, {}))
    return Source(vendor, vendor, (SECRET,), HERE, settings=settings, **more)


def body_of(vendor: str, name: str, *changes: tuple[str, str], at: int = NOW, id_: str = "") -> bytes:
    """A sample, as the vendor writes it."""
    made = samples.make(vendor, name, Wanted(id_, changes), at)
    packed = getattr(catalogue.source(vendor), "packed", None)
    return packed(json.loads(made)) if packed else made


def headers_of(body: bytes, source: Source, *, secret: str = SECRET, at: int = NOW) -> dict[str, str]:
    module = catalogue.source(source.vendor)
    sign_for = getattr(module, "sign_for", None)
    return dict(sign_for(source, body, secret, at) if sign_for else module.sign(body, secret, at))


def request_of(body: bytes, source: Source, *, now: int = NOW, **signing: Any) -> Inbound:
    return Inbound(body, headers_of(body, source, **signing), {}, now)


def place_of(vendor: str, name: str) -> tuple[str, dict[str, str]]:
    """Where a sample is sent to: path, as ASGI has it, and query."""
    address = getattr(catalogue.source(vendor), "address", None)
    if address is None:
        return "", {}
    path, _, query = address(json.loads(samples.make(vendor, name, Wanted(), NOW))).partition("?")
    return unquote(path), dict(parse_qsl(query))


def read(body: bytes, source: Source, path: str = "", query: dict[str, str] | None = None) -> Parsed:
    """Parsed as it would be if it came signed. Raises Unreadable."""
    inbound = Inbound(body, headers_of(body, source), query or {}, NOW, path=path)
    return catalogue.source(source.vendor).parse(inbound, source)


def events_of(vendor: str, name: str, *changes: tuple[str, str], **more: Any) -> list[Event]:
    found = read(body_of(vendor, name, *changes), source_of(vendor, **more), *place_of(vendor, name))
    assert not found.unread
    return list(found.events)


def gate_of(source: Source) -> intake.Gate:
    """As the receiver would hold it."""
    return Gates(lambda _: None, catalogue.source, {})._gate(source)


def admitted(source: Source, body: bytes, headers: dict[str, str], **more: Any) -> Request:
    """What would be kept of a request. Raises BadSignature or Refused."""
    query, now, path = more.get("query", {}), more.get("now", NOW), more.get("path", "")
    return intake.admit(gate_of(source), body, headers, query, now, path)


def everything() -> list[tuple[str, str]]:
    return [(vendor, name) for vendor in catalogue.sources() for name in samples.names(vendor)]


def without(source: Source, *names: str) -> Source:
    """The same source with these settings left out."""
    return replace(
        source, settings={name: value for name, value in source.settings.items() if name not in names}
    )
