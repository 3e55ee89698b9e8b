"""Groups of alerts as Prometheus Alertmanager sends them, and Grafana after it: one event for each alert.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. What is repeated means "still firing":
that is news, so nothing is deduplicated here.
"""

from typing import Any

import orjson

from receiver import instants, labels, strict_json
from routing.errors import Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed, Unread


def parse(inbound: Inbound, source: Source, vendor: str) -> Parsed:
    """One event for each alert. Raises Unreadable when the body is no such group at all."""
    body = strict_json.object_of(strict_json.loads(inbound.body))
    alerts = body.get("alerts")
    if not isinstance(alerts, list) or not alerts:
        raise Unreadable("expected a list with at least one alert", "alerts")
    events, unread = [], []
    for number, alert in enumerate(alerts):
        where = f"alerts[{number}]"
        try:
            events.append(_event(strict_json.object_of(alert, where), body, where, source.name, vendor))
        except Unreadable as error:
            # A body of its own, so that it can be read again once somebody has mended it.
            unread.append(Unread(error.reason, error.where, orjson.dumps({**body, "alerts": [alert]})))
    return Parsed(events, unread)


def _event(alert: dict[str, Any], group: dict[str, Any], where: str, source: str, vendor: str) -> Event:
    status = _status(alert, where)
    named = labels.read(alert, "labels", where)
    notes = labels.bounded(labels.read(alert, "annotations", where))
    name = named.get("alertname", "alert")
    fingerprint = alert.get("fingerprint")
    if not isinstance(fingerprint, str) or not fingerprint:
        fingerprint = labels.prometheus_fingerprint(named)
    resolved = status is Status.RESOLVED
    return Event(
        source=source,
        vendor=vendor,
        kind=name,
        status=status,
        key=fingerprint[:200],
        title=(notes.get("summary") or notes.get("title") or name)[:200],
        summary=(notes.get("description") or notes.get("message") or "")[:2000],
        vendor_severity=named.get("severity", ""),
        labels=labels.bounded(named),
        details=notes | _details(group, alert),
        starts_at=instants.rfc3339(alert, "startsAt", where),
        # While it fires, endsAt is a guess of Alertmanager's about when it would expire: it ends nothing.
        ends_at=instants.rfc3339(alert, "endsAt", where) if resolved else 0,
        link=_text(alert, "panelURL") or _text(alert, "dashboardURL") or _text(alert, "generatorURL"),
    )


def _status(alert: dict[str, Any], where: str) -> Status:
    found = alert.get("status")
    if found == "firing":
        return Status.FIRING
    if found == "resolved":
        return Status.RESOLVED
    raise Unreadable('expected "firing" or "resolved"', f"{where}.status")


def _details(group: dict[str, Any], alert: dict[str, Any]) -> dict[str, str]:
    """The last four are Grafana's."""
    named = {
        "alertmanager": _text(group, "externalURL"),
        "receiver": _text(group, "receiver"),
        "values": _values(alert.get("values")),
        "silence": _text(alert, "silenceURL"),
        "dashboard": _text(alert, "dashboardURL"),
        "image": _text(alert, "imageURL"),
    }
    return {name: value for name, value in named.items() if value}


def _values(found: Any) -> str:
    """What the alert's expressions came to: "A=0.93, B=1"."""
    plain = found.items() if isinstance(found, dict) else ()
    return ", ".join(f"{name}={value}" for name, value in plain if isinstance(value, int | float))[:500]


def _text(holder: dict[str, Any], name: str) -> str:
    found = holder.get(name)
    return found[:2048] if isinstance(found, str) else ""
