"""Azure Monitor's alerts, in the common schema, by an action group.

https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema. It is not signed. After five
tries in a minute Azure is silent for a quarter of an hour.
"""

from collections.abc import Sequence

from receiver import instants, shaping, strict_json, tokens
from routing.errors import Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED})
VERIFIED = "a token: in the `Authorization` header, `X-Tocsin-Token`, or `?token=` of the address"
REPEAT = "the same alert, condition and time"
TITLE = "Azure Monitor"
SETUP = """\
1. Monitor → Alerts → Action groups → *Webhook*: `https://<tocsin>/hooks/azure?token=<AZURE_TOKEN>`, *common
   alert schema* on. Azure sends no header of its own choice; the address is the secret.
2. Put the token into `AZURE_TOKEN`, and the action group on each alert rule.
"""

_SCHEMA = "azureMonitorCommonAlertSchema"
_STATES = {"Fired": Status.FIRING, "Resolved": Status.RESOLVED}


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    tokens.verify_anywhere(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    body = strict_json.object_of(strict_json.loads(inbound.body))
    if body.get("schemaId") != _SCHEMA:
        raise Unreadable(f"expected {_SCHEMA}: switch the common alert schema on", "schemaId")
    told = shaping.inner(body, "data", "essentials")
    alert, condition = shaping.needed(told, "alertId"), shaping.needed(told, "monitorCondition")
    if condition not in _STATES:
        raise Unreadable("expected Fired or Resolved", "data.essentials.monitorCondition")
    targets = told.get("alertTargetIDs")
    target = targets[0] if isinstance(targets, list) and targets and isinstance(targets[0], str) else ""
    fired = shaping.text(told, "firedDateTime")
    event = Event(
        source=source.name,
        vendor="azure",
        kind="alert",
        status=_STATES[condition],
        key=f"alert:{alert.rpartition('/')[2]}",
        title=shaping.text(told, "alertRule") or "Azure Monitor alert",
        summary=shaping.text(told, "description"),
        vendor_id=f"{alert.rpartition('/')[2]}:{condition}:{fired}",
        vendor_severity=shaping.text(told, "severity"),
        labels=shaping.plain(
            {
                "rule": shaping.text(told, "alertRule"),
                "signal": shaping.text(told, "signalType"),
                "monitoring_service": shaping.text(told, "monitoringService"),
                "resource": target.rpartition("/")[2],
                "resource_id": target,
            }
        ),
        starts_at=instants.rfc3339(told, "firedDateTime", "data.essentials"),
        ends_at=instants.rfc3339(told, "resolvedDateTime", "data.essentials"),
        link=shaping.text(told, "investigationLink"),
    )
    return Parsed((shaping.bounded(event),))
