"""Better Stack's incidents, by an outgoing webhook: `{data: {id, type: "incident", attributes}}`.

https://betterstack.com/docs/uptime/webhooks/. It is not signed.
"""

from collections.abc import Sequence

from receiver import instants, shaping, strict_json, tokens
from routing.errors import Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a token: in the `Authorization` header, `X-Tocsin-Token`, or `?token=` of the address"
REPEAT = "news: the incident is its key"
TITLE = "Better Stack"
SETUP = """\
1. Integrations → Exporting data → *Outgoing webhook*: `https://<tocsin>/hooks/betterstack`, HTTP header
   `Authorization: Bearer <BETTERSTACK_TOKEN>`; incident started, acknowledged and resolved.
2. Its status pages speak as Statuspage does: those go to a source of vendor `statuspage`.
"""


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    tokens.verify_anywhere(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    data = shaping.inner(strict_json.loads(inbound.body), "data")
    kind = shaping.text(data, "type") or "incident"
    told, id_ = shaping.inner(data, "attributes"), shaping.needed(data, "id")
    state = (shaping.text(told, "status") or "").casefold()
    status = Status.INFO
    if kind.endswith("incident"):
        over = bool(told.get("resolved_at")) or state == "resolved"
        status = Status.RESOLVED if over else Status.INFO if told.get("acknowledged_at") else Status.FIRING
    name = shaping.text(told, "name") or shaping.text(told, "url") or f"{kind} {id_}"
    event = Event(
        source=source.name,
        vendor="betterstack",
        kind=kind,
        status=status,
        key=f"{kind}:{id_}",
        title=f"{name}: {shaping.text(told, 'cause') or state or kind}",
        labels=shaping.plain(
            {
                "monitor": shaping.text(told, "name"),
                "url": shaping.text(told, "url"),
                "cause": told.get("cause"),
            }
        ),
        starts_at=_at(told, "started_at"),
        ends_at=_at(told, "resolved_at") if status is Status.RESOLVED else 0,
        link=shaping.text(told, "origin_url") or shaping.text(told, "url"),
    )
    return Parsed((shaping.bounded(event),))


def _at(told: dict[str, object], name: str) -> int:
    try:
        return instants.rfc3339(told, name)
    except Unreadable:
        return 0
