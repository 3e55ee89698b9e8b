"""Twilio's debugger: the errors and warnings of an account, each as it happens.

https://www.twilio.com/docs/usage/troubleshooting/debugging-event-webhooks. Signed over the address that
Twilio calls, so the source must know it; the Host header is not believed. Each is information: count them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from receiver import forms, instants, shaping, strict_json, twilio_signature
from routing.errors import BadSignature, Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.INFO})
VERIFIED = "`X-Twilio-Signature` over the address (`url`) and the form"
REPEAT = "the same `Sid`, which is signed"
TITLE = "Twilio debugger"
SETUP = """\
1. Console → Monitor → Logs → *Errors* → Webhook & email triggers: `https://<tocsin>/hooks/twilio_debugger`.
2. The auth token into `TWILIO_AUTH_TOKEN`; the same address into `settings: {url: ...}`.
"""
SETTINGS = {"url": "the address exactly as it was given to Twilio; nothing is taken without"}


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    url = source.settings.get("url")
    if not isinstance(url, str) or not url:
        raise BadSignature(
            "the source does not know its own address", "set settings.url in config/sources.yaml"
        )
    try:
        fields = forms.loads(inbound.body)
    except Unreadable as error:
        raise BadSignature("the body is not a form") from error
    twilio_signature.verify(url, fields.items(), inbound.headers, [each for each in secrets if each.strip()])


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    """Only with the address, which the source knows: `sign_for`."""
    return _signed("", body, secret)


def sign_for(source: Source, body: bytes, secret: str, at: int) -> dict[str, str]:
    return _signed(str(source.settings.get("url", "")), body, secret)


def packed(value: Mapping[str, Any]) -> bytes:
    return forms.dumps({name: str(each) for name, each in value.items()})


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    told = forms.loads(inbound.body)
    id_, level = shaping.needed(told, "Sid"), shaping.needed(told, "Level")
    payload = _payload(told.get("Payload", ""))
    code = shaping.text(payload, "error_code")
    resource = shaping.text(payload, "resource_sid")
    event = Event(
        source=source.name,
        vendor="twilio_debugger",
        kind=f"debugger.{level.casefold()}",
        status=Status.INFO,
        key=f"error:{code or id_}",
        title=f"Twilio {level.casefold()} {code}".strip(),
        summary=shaping.text(payload, "more_info", "msg") or shaping.text(payload, "more_info", "Msg"),
        vendor_id=id_,
        vendor_severity=level,
        labels=shaping.plain({"code": code, "service_sid": shaping.text(payload, "service_sid")}),
        details=shaping.plain({"resource": resource}),
        starts_at=instants.rfc3339(dict(told), "Timestamp"),
        link=f"https://www.twilio.com/docs/api/errors/{code}" if code.isdigit() else "",
    )
    return Parsed((shaping.bounded(event),))


def _payload(written: str) -> Any:
    try:
        return strict_json.loads(written.encode())
    except Unreadable:
        return {}


def _signed(url: str, body: bytes, secret: str) -> dict[str, str]:
    try:
        fields = sorted(forms.loads(body).items())
    except Unreadable:
        fields = []
    tail = "".join(name + value for name, value in fields)
    return {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": twilio_signature.sign(url, tail, secret),
    }
