"""Healthchecks.io's checks, by a webhook: a template of yours, ours is below.

https://healthchecks.io/docs/configuring_notifications/. It is not signed.
"""

from collections.abc import Sequence

from receiver import instants, shaping, strict_json, tokens
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a token: in the `Authorization` header, `X-Tocsin-Token`, or `?token=` of the address"
REPEAT = "the same check, status and time"
TITLE = "Healthchecks"
SETUP = """\
Integrations → Webhook, for *down* and for *up* the same: POST `https://<tocsin>/hooks/healthchecks`, header
`Authorization: Bearer <HEALTHCHECKS_TOKEN>`, and this body:

    {"code": "$CODE", "status": "$STATUS", "name": $NAME_JSON, "tags": "$TAGS", "now": "$NOW"}
"""
METHODS = frozenset({"PUT"})

_STATES = {"down": Status.FIRING, "up": Status.RESOLVED}


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    tokens.verify_anywhere(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    told = strict_json.object_of(strict_json.loads(inbound.body))
    code, state = shaping.needed(told, "code"), shaping.needed(told, "status").casefold()
    name, now = shaping.text(told, "name") or code, shaping.text(told, "now")
    event = Event(
        source=source.name,
        vendor="healthchecks",
        kind="check",
        status=_STATES.get(state, Status.INFO),
        key=f"check:{code}",
        title=f"{name} is {state}",
        vendor_id=f"{code}:{state}:{now}" if now else "",
        labels=shaping.plain({"check": name, "tags": shaping.text(told, "tags")}),
        starts_at=instants.rfc3339(told, "now"),
    )
    return Parsed((shaping.bounded(event),))
