"""Statuspage's own webhooks: what a vendor says of its incidents and components. Better Stack's pages speak alike.

https://support.atlassian.com/statuspage/docs/enable-webhook-notifications/. They are not signed. Each has an
address that ends the subscription: that is not kept.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from receiver import instants, shaping, strict_json, tokens
from routing.errors import Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a token: in the `Authorization` header, `X-Tocsin-Token`, or `?token=` of the address"
REPEAT = "the same update"
TITLE = "Statuspage"
SETUP = """\
On the vendor's status page → *Subscribe* → webhook: `https://<tocsin>/hooks/statuspage?token=<STATUSPAGE_TOKEN>`. One
source for each page, with its own name, tells them apart. Not your own page, if Tocsin writes it: it would hear itself.
"""

_OVER = frozenset({"resolved", "postmortem", "completed"})
_PLANNED = frozenset({"scheduled", "in_progress", "verifying", "maintenance"})


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    tokens.verify_anywhere(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    body = strict_json.object_of(strict_json.loads(inbound.body))
    if isinstance(body.get("incident"), dict):
        return Parsed((shaping.bounded(_incident(body, body["incident"], source)),))
    if isinstance(body.get("component"), dict):
        return Parsed((shaping.bounded(_component(body, body["component"], source)),))
    raise Unreadable("expected an incident or a component")


def scrubbed(body: bytes) -> bytes:
    try:
        told = strict_json.object_of(strict_json.loads(body))
    except Unreadable:
        return body
    meta = told.get("meta")
    if isinstance(meta, dict):
        meta.pop("unsubscribe", None)
    return orjson.dumps(told)


def _incident(body: dict[str, Any], told: dict[str, Any], source: Source) -> Event:
    id_, state = shaping.needed(told, "id"), shaping.needed(told, "status")
    updates = told.get("incident_updates")
    update = updates[0] if isinstance(updates, list) and updates else {}
    planned = state in _PLANNED or shaping.text(told, "impact") == "maintenance"
    hit = told.get("components")
    names = [shaping.text(one, "name") for one in hit] if isinstance(hit, list) else []
    return Event(
        source=source.name,
        vendor="statuspage",
        kind="maintenance" if planned else "incident",
        status=Status.INFO if planned else Status.RESOLVED if state in _OVER else Status.FIRING,
        key=f"incident:{id_}",
        title=f"{shaping.text(told, 'name') or id_} ({state})",
        summary=shaping.text(update, "body"),
        vendor_id=shaping.text(update, "id"),
        vendor_severity=shaping.text(told, "impact"),
        labels=shaping.plain({"page": shaping.text(body, "page", "id"), "impact": told.get("impact"),
                              "components": ", ".join(filter(None, names))}),
        starts_at=_at(told, "created_at"),
        ends_at=_at(told, "resolved_at") if state in _OVER else 0,
        link=shaping.text(told, "shortlink"),
    )  # fmt: skip


def _component(body: dict[str, Any], told: dict[str, Any], source: Source) -> Event:
    id_, name = shaping.needed(told, "id"), shaping.text(told, "name")
    state = shaping.text(body, "component_update", "new_status") or shaping.needed(told, "status")
    calm = {"operational": Status.RESOLVED, "under_maintenance": Status.INFO}
    return Event(
        source=source.name,
        vendor="statuspage",
        kind="component",
        status=calm.get(state, Status.FIRING),
        key=f"component:{id_}",
        title=f"{name or id_}: {state.replace('_', ' ')}",
        vendor_id=shaping.text(body, "component_update", "id"),
        vendor_severity="major" if "outage" in state else "minor" if state not in calm else "",
        labels=shaping.plain(
            {"page": shaping.text(body, "page", "id"), "component": name, "component_status": state}
        ),
        starts_at=_at(body.get("component_update"), "created_at"),
    )


def _at(told: Any, name: str) -> int:
    return instants.rfc3339(told, name) if isinstance(told, dict) and isinstance(told.get(name), str) else 0
