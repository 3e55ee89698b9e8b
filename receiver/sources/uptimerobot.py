"""UptimeRobot's monitors, by a webhook contact: its parameters, as JSON, as a form or in the address.

https://uptimerobot.com/help/alert-contacts/. It is not signed.
"""

from collections.abc import Sequence
from typing import Any

from receiver import forms, shaping, strict_json, tokens
from routing.errors import Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a token: in the `Authorization` header, `X-Tocsin-Token`, or `?token=` of the address"
REPEAT = "the same monitor, type and time"
TITLE = "UptimeRobot"
SETUP = """\
1. Integrations → Webhook: `https://<tocsin>/hooks/uptimerobot?token=<UPTIMEROBOT_TOKEN>`, *Send as JSON*,
   with this value:

       {"monitorID": "*monitorID*", "monitorFriendlyName": "*monitorFriendlyName*", "monitorURL": "*monitorURL*",
        "alertType": "*alertType*", "alertDetails": "*alertDetails*", "alertDateTime": "*alertDateTime*"}

2. *Enable notifications for*: up and down, SSL and domain expiry.
"""
METHODS = frozenset({"GET"})

_DOWN, _UP, _EXPIRY = "1", "2", "3"


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    tokens.verify_anywhere(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    told = _told(inbound)
    monitor, kind = shaping.needed(told, "monitorID"), shaping.needed(told, "alertType")
    name, at = shaping.text(told, "monitorFriendlyName") or monitor, shaping.text(told, "alertDateTime")
    status = {_DOWN: Status.FIRING, _UP: Status.RESOLVED, _EXPIRY: Status.FIRING}.get(kind, Status.INFO)
    said = {_DOWN: "is down", _UP: "is up", _EXPIRY: "expires soon"}.get(kind, f"says {kind}")
    event = Event(
        source=source.name,
        vendor="uptimerobot",
        kind="expiry" if kind == _EXPIRY else "monitor",
        status=status,
        key=f"{'expiry' if kind == _EXPIRY else 'monitor'}:{monitor}",
        title=f"{name} {said}",
        summary=shaping.text(told, "alertDetails"),
        vendor_id=f"{monitor}:{kind}:{at}" if at else "",
        vendor_severity="warning" if kind == _EXPIRY else "",
        labels=shaping.plain({"monitor": name, "url": shaping.text(told, "monitorURL")}),
        starts_at=int(at) * 1000 if at.isascii() and at.isdigit() and len(at) <= 11 else 0,  # noqa: PLR2004
    )
    return Parsed((shaping.bounded(event),))


def _told(inbound: Inbound) -> dict[str, Any]:
    if not inbound.body:
        return dict(inbound.query)
    try:
        return strict_json.object_of(strict_json.loads(inbound.body))
    except Unreadable:
        if inbound.body.lstrip()[:1] in {b"{", b"["}:
            raise
        return dict(forms.loads(inbound.body))
