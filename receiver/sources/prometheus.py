"""Prometheus itself, and whatever else speaks to Alertmanager's API v2: `POST /api/v2/alerts`.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml. The body is a list of alerts. Each one
is sent again for as long as it fires; `endsAt` says until when silence means "still firing"; without it, that
is now + `resolve_timeout_ms` of the source's settings, as in Alertmanager.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from receiver import instants, labels, strict_json, tokens
from routing.errors import Unreadable
from routing.event import Event, Status
from routing.instant import MINUTE
from routing.policy import Source
from routing.ports import Inbound, Parsed, Unread

STATES = frozenset({Status.FIRING, Status.RESOLVED})
VERIFIED = "bearer token, or password of Basic authentication"
REPEAT = 'news: "still firing"'
TITLE = "Prometheus (Alertmanager API v2)"
SETUP = """\
Add to `prometheus.yml`:

    alerting:
      alertmanagers:
        - scheme: https
          static_configs: [{targets: ["<tocsin>"]}]
          authorization: {credentials: <TOCSIN_ALERTS_TOKEN>}
"""
SETTINGS = {"resolve_timeout_ms": "how long an alert without an end fires, in ms; five minutes unless said"}
PATH = "/api/v2/alerts"

_RESOLVE_TIMEOUT_MS = 5 * MINUTE


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    """Raises BadSignature unless one of the secrets is the bearer token or the basic password."""
    tokens.verify(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", "user-agent": "Prometheus/3.5.0", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event for each alert; an empty list is a valid one. Raises Unreadable when the body is no list."""
    alerts = strict_json.loads(inbound.body)
    if not isinstance(alerts, list):
        raise Unreadable("expected a list of alerts")
    events, unread = [], []
    for number, alert in enumerate(alerts):
        where = f"[{number}]"
        try:
            events.append(_event(strict_json.object_of(alert, where), where, inbound.received_at, source))
        except Unreadable as error:
            unread.append(Unread(error.reason, error.where, orjson.dumps([alert])))
    return Parsed(events, unread)


def _event(alert: dict[str, Any], where: str, now: int, source: Source) -> Event:
    named = labels.read(alert, "labels", where)
    _check_names(named, where)
    notes = labels.bounded(labels.read(alert, "annotations", where))
    starts_at, ends_at = _span(alert, where, now, source)
    name = named.get("alertname", "alert")
    link = alert.get("generatorURL")
    return Event(
        source=source.name,
        vendor="prometheus",
        kind=name,
        status=Status.RESOLVED if ends_at <= now else Status.FIRING,
        key=labels.identity(named),
        title=(notes.get("summary") or notes.get("title") or name)[:200],
        summary=(notes.get("description") or notes.get("message") or "")[:2000],
        vendor_severity=named.get("severity", ""),
        labels=labels.bounded(named),
        details=notes,
        starts_at=starts_at,
        ends_at=ends_at,
        link=link[:2048] if isinstance(link, str) else "",
    )


def _check_names(named: dict[str, str], where: str) -> None:
    if not named:
        raise Unreadable("at least one label pair required", f"{where}.labels")
    if "" in named:
        raise Unreadable("invalid label name: it is empty", f"{where}.labels")


def _span(alert: dict[str, Any], where: str, now: int, source: Source) -> tuple[int, int]:
    """From when until when, as Alertmanager fills in what is missing; but nothing starts in the future."""
    starts_at = instants.rfc3339(alert, "startsAt", where)
    ends_at = instants.rfc3339(alert, "endsAt", where)
    if not starts_at:
        starts_at = min(ends_at, now) if ends_at else now
    if not ends_at:
        timeout = source.settings.get("resolve_timeout_ms")
        ends_at = now + (timeout if isinstance(timeout, int) else _RESOLVE_TIMEOUT_MS)
    if starts_at > ends_at:
        raise Unreadable("start time must be before end time", where)
    return starts_at, ends_at
