"""Booksy's appointments, for partners: `{action: CREATED | MODIFIED | CANCELLED, appointment}`.

Its interface is open to partners alone and says nothing of signatures. All of it is information; of an
appointment only its id, status and times are kept: whose it is, is nobody's business here.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from receiver import instants, shaping, strict_json, tokens
from routing.errors import Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.INFO})
VERIFIED = "a token: in the `Authorization` header, `X-Tocsin-Token`, or `?token=` of the address"
REPEAT = "the same action, appointment and time of change"
TITLE = "Booksy"
SETUP = """\
1. Give your partner manager `https://<tocsin>/hooks/booksy?token=<BOOKSY_TOKEN>`. It tries again after 5, 10, 20 and 40
   minutes, then stops.
2. An `absences` rule in `severity.yaml` finds that no bookings come any more.
"""

_KEPT = frozenset(
    {"id", "appointment_id", "status", "booked_from", "booked_till", "updated", "updated_at", "created_at"}
)


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    tokens.verify_anywhere(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    body = strict_json.object_of(strict_json.loads(inbound.body))
    action, told = shaping.needed(body, "action"), shaping.inner(body, "appointment")
    id_ = shaping.text(told, "id") or shaping.needed(told, "appointment_id")
    changed = next(
        (name for name in ("updated_at", "updated", "created_at") if isinstance(told.get(name), str)), ""
    )
    at = shaping.text(told, changed) if changed else ""
    event = Event(
        source=source.name,
        vendor="booksy",
        kind=f"appointment.{action.casefold()}",
        status=Status.INFO,
        key=f"appointment:{id_}",
        title=f"Booksy appointment {action.casefold()}",
        vendor_id=f"{action}:{id_}:{at}" if at else "",
        labels=shaping.plain(
            {"action": action.casefold(), "appointment_status": shaping.text(told, "status")}
        ),
        details=shaping.plain({"appointment": id_}),
        starts_at=_at(told, changed),
    )
    return Parsed((shaping.bounded(event),))


def scrubbed(body: bytes) -> bytes:
    try:
        told = strict_json.object_of(strict_json.loads(body))
    except Unreadable:
        return body
    held = told.get("appointment")
    kept = {name: value for name, value in held.items() if name in _KEPT} if isinstance(held, dict) else {}
    return orjson.dumps({"action": shaping.text(told, "action"), "appointment": kept})


def _at(told: dict[str, Any], name: str) -> int:
    """Times without an offset are of the shop's own zone, which is not said: then none."""
    try:
        return instants.rfc3339(told, name) if name else 0
    except Unreadable:
        return 0
