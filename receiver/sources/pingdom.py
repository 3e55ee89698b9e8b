"""Pingdom's checks, by a webhook integration.

https://www.pingdom.com/resources/webhooks/. It is not signed.
"""

from collections.abc import Sequence

from receiver import shaping, strict_json, tokens
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a token: in the `Authorization` header, `X-Tocsin-Token`, or `?token=` of the address"
REPEAT = "the same check, state and time"
TITLE = "Pingdom"
SETUP = """\
1. Integrations → *Add integration* → Webhook: `https://<tocsin>/hooks/pingdom?token=<PINGDOM_TOKEN>`.
2. In each check, *Connect integrations*, and when it is back up too.
"""

_STATES = {"DOWN": Status.FIRING, "FAILING": Status.FIRING, "UP": Status.RESOLVED, "SUCCESS": Status.RESOLVED}


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    tokens.verify_anywhere(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    told = strict_json.object_of(strict_json.loads(inbound.body))
    check, state = shaping.needed(told, "check_id"), shaping.needed(told, "current_state")
    name, at = shaping.text(told, "check_name") or check, told.get("state_changed_timestamp")
    known = type(at) is int and 0 < at < 10**11
    event = Event(
        source=source.name,
        vendor="pingdom",
        kind=f"check.{shaping.text(told, 'check_type') or 'http'}".casefold(),
        status=_STATES.get(state.upper(), Status.INFO),
        key=f"check:{check}",
        title=f"{name} is {state}",
        summary=shaping.text(told, "long_description") or shaping.text(told, "description"),
        vendor_id=f"{check}:{state}:{at}" if known else "",
        vendor_severity=shaping.text(told, "importance_level"),
        labels=shaping.plain({"check": name, "host": shaping.text(told, "check_params", "hostname")}),
        starts_at=at * 1000 if type(at) is int and known else 0,
    )
    return Parsed((shaping.bounded(event),))
