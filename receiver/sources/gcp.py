"""Google Cloud Monitoring's incidents, by a webhook channel.

https://cloud.google.com/monitoring/support/notification-options#webhooks. It is not signed. The state's case varies.
"""

from collections.abc import Sequence
from typing import Any

from receiver import shaping, strict_json, tokens
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a token: in the `Authorization` header, `X-Tocsin-Token`, or `?token=` of the address"
REPEAT = "news: the incident is its key"
TITLE = "Google Cloud Monitoring"
SETUP = """\
1. Monitoring → Alerting → *Edit notification channels* → Webhooks: `https://<tocsin>/hooks/gcp`, Basic authentication
   with any user and `<GCP_TOKEN>` as password.
2. In each policy, notify the channel, *Notify on incident closure* on.
"""

_STATES = {"open": Status.FIRING, "closed": Status.RESOLVED}


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    tokens.verify_anywhere(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    told = shaping.inner(strict_json.loads(inbound.body), "incident")
    incident, state = shaping.needed(told, "incident_id"), shaping.needed(told, "state").casefold()
    status = _STATES.get(state, Status.INFO)
    labels = {
        "policy": shaping.text(told, "policy_name"),
        "condition": shaping.text(told, "condition_name"),
        "project": shaping.text(told, "scoping_project_id"),
        "resource": shaping.text(told, "resource_name") or shaping.text(told, "resource_id"),
        "resource_type": shaping.text(told, "resource", "type")
        or shaping.text(told, "resource_type_display_name"),
        "metric": shaping.text(told, "metric", "type"),
    }
    event = Event(
        source=source.name,
        vendor="gcp",
        kind="incident",
        status=status,
        key=f"incident:{incident}",
        title=labels["policy"] or f"Incident {incident}",
        summary=shaping.text(told, "summary"),
        vendor_severity=shaping.text(told, "severity"),
        labels=shaping.plain(labels),
        details=shaping.plain(
            {"observed": told.get("observed_value"), "threshold": told.get("threshold_value")}
        ),
        starts_at=_ms(told.get("started_at")),
        ends_at=_ms(told.get("ended_at")) if status is Status.RESOLVED else 0,
        link=shaping.text(told, "url"),
    )
    return Parsed((shaping.bounded(event),))


def _ms(found: Any) -> int:
    """Seconds since the epoch."""
    return found * 1000 if type(found) is int and 0 < found < 10**11 else 0
