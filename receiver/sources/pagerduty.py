"""PagerDuty's incidents, by its webhooks of version 3: for those who page there and repair here.

https://developer.pagerduty.com/docs/webhooks-overview. Any of the signatures counts while a secret is rolled.
"""

from collections.abc import Sequence

from receiver import hmacs, instants, shaping, strict_json
from routing.errors import BadSignature
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "`X-PagerDuty-Signature` (`v1`), HMAC-SHA256 over the body"
REPEAT = "the same event id, which is signed"
TITLE = "PagerDuty (webhooks v3)"
SETUP = """\
1. Integrations → Generic Webhooks (v3): `https://<tocsin>/hooks/pagerduty`, scope and event types as you like.
2. Put the signing secret, which is shown once, into `PAGERDUTY_WEBHOOK_SECRET`.
3. If Tocsin also tells PagerDuty of its incidents, leave that service out of the scope: it would hear itself.
"""

_STATES = {
    "incident.triggered": Status.FIRING,
    "incident.reopened": Status.FIRING,
    "incident.resolved": Status.RESOLVED,
}
_MOST = 16


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    given = [part.strip() for part in inbound.headers.get("x-pagerduty-signature", "").split(",")][:_MOST]
    signatures = [part.removeprefix("v1=") for part in given if part.startswith("v1=")]
    if not signatures:
        raise BadSignature(
            "no X-PagerDuty-Signature header of the form v1=…", "is this a webhook of version 3?"
        )
    if not any(hmacs.matches("sha256", inbound.body, each, secrets) for each in signatures):
        raise BadSignature("no v1 signature matches the body", "check PAGERDUTY_WEBHOOK_SECRET")


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "x-pagerduty-signature": f"v1={hmacs.hexdigest('sha256', body, secret)}",
    }


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    told = shaping.inner(strict_json.loads(inbound.body), "event")
    id_, kind = shaping.needed(told, "id"), shaping.needed(told, "event_type")
    data = told.get("data")
    incident = (
        shaping.text(data, "id")
        if shaping.text(data, "type") == "incident"
        else shaping.text(data, "incident", "id")
    )
    event = Event(
        source=source.name,
        vendor="pagerduty",
        kind=kind,
        status=_STATES.get(kind, Status.INFO),
        key=f"incident:{incident or id_}",
        title=shaping.text(data, "title") or f"PagerDuty {kind}",
        vendor_id=id_,
        vendor_severity=shaping.text(data, "priority", "summary") or shaping.text(data, "urgency"),
        labels=shaping.plain(
            {
                "pagerduty_service": shaping.text(data, "service", "summary"),
                "urgency": shaping.text(data, "urgency"),
                "agent": shaping.text(told, "agent", "summary"),
            }
        ),
        starts_at=instants.rfc3339(told, "occurred_at"),
        link=shaping.text(data, "html_url"),
    )
    return Parsed((shaping.bounded(event),))
