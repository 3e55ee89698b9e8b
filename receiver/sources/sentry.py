"""Sentry's integration webhooks: issues, alerts on events and on metrics, errors.

https://docs.sentry.io/organization/integrations/integration-platform/webhooks/. The body is signed as it is sent.
No time is signed, and no header: what a body is about is read from the body. An issue is a condition until it is
resolved or archived, and an alert on an event belongs to its issue.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from receiver import hmacs, instants, shaping, strict_json
from routing.errors import BadSignature
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "`Sentry-Hook-Signature`, HMAC-SHA256 over the body"
REPEAT = "of an alert on an event, the same event and rule; all else is news"
TITLE = "Sentry"
SETUP = """\
1. Settings → Developer settings → *New internal integration*: webhook URL `https://<tocsin>/hooks/sentry`,
   *Alert rule action* on, permission *Issue & Event: read*, webhooks *issue* and *error* as you like.
2. Put its client secret into `SENTRY_CLIENT_SECRET`.
3. In alert rules, choose the integration under *Send a notification via an integration*.
"""

_ENDED = frozenset({"resolved", "archived", "ignored"})
_BEGUN = frozenset({"created", "unresolved"})
_METRIC = {
    "critical": Status.FIRING,
    "warning": Status.FIRING,
    "open": Status.FIRING,
    "resolved": Status.RESOLVED,
}


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    given = inbound.headers.get("sentry-hook-signature", "")
    if not given:
        raise BadSignature("no Sentry-Hook-Signature header", "is this an integration's webhook?")
    if not hmacs.matches("sha256", inbound.body, given, secrets):
        raise BadSignature("the signature does not match the body", "check SENTRY_CLIENT_SECRET")


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "sentry-hook-timestamp": str(at // 1000),
        "sentry-hook-signature": hmacs.hexdigest("sha256", body, secret),
    }


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    body = strict_json.object_of(strict_json.loads(inbound.body))
    action = strict_json.text_of(body, "action")
    data = strict_json.object_of(body.get("data"), "data")
    found = next((read for name, read in _READERS.items() if isinstance(data.get(name), dict)), _other)
    return Parsed((shaping.bounded(found(data, action, source)),))


def _issue(data: dict[str, Any], action: str, source: Source) -> Event:
    issue = data["issue"]
    status = Status.FIRING if action in _BEGUN else Status.RESOLVED if action in _ENDED else Status.INFO
    return _about(source, f"issue.{action}", status, shaping.needed(issue, "id"), issue)


def _event_alert(data: dict[str, Any], action: str, source: Source) -> Event:
    event = data["event"]
    rule = shaping.text(data, "triggered_rule")
    if not rule and not isinstance(data.get("issue_alert"), dict):
        return _error({"error": event}, action, source)
    issue = shaping.text(event, "issue_id") or shaping.needed(event, "event_id")
    id_ = f"event_alert:{shaping.text(event, 'event_id')}:{rule}"
    return _about(source, "event_alert.triggered", Status.FIRING, issue, event, rule=rule, id_=id_)


def _error(data: dict[str, Any], action: str, source: Source) -> Event:
    error = data["error"]
    issue = shaping.text(error, "issue_id") or shaping.needed(error, "event_id")
    return _about(source, f"error.{action}", Status.INFO, issue, error)


def _metric_alert(data: dict[str, Any], action: str, source: Source) -> Event:
    alert = data["metric_alert"]
    title = shaping.text(data, "description_title") or shaping.text(alert, "title") or "metric alert"
    return Event(
        source=source.name,
        vendor="sentry",
        kind="metric_alert",
        status=_METRIC.get(action, Status.INFO),
        key=f"metric_alert:{shaping.needed(alert, 'id')}",
        title=title,
        summary=shaping.text(data, "description_text"),
        vendor_severity=action if action in {"critical", "warning"} else "",
        labels=shaping.plain({"rule": shaping.text(alert, "alert_rule", "name"), "action": action}),
        starts_at=instants.rfc3339(alert, "date_started", "data.metric_alert"),
        link=shaping.text(data, "web_url"),
    )


def _other(data: dict[str, Any], action: str, source: Source) -> Event:
    """An installation, a comment, what Sentry will think of next: information."""
    what = next((name for name, value in data.items() if isinstance(value, dict)), "event")
    id_ = shaping.text(data, what, "uuid") or shaping.text(data, what, "id")
    return Event(
        source=source.name,
        vendor="sentry",
        kind=f"{what}.{action}",
        status=Status.INFO,
        key=f"{what}:{id_}",
        title=f"Sentry {what} {action}",
        details=shaping.plain(data),
    )


def _about(
    source: Source,
    kind: str,
    status: Status,
    issue: str,
    told: Mapping[str, Any],
    rule: str = "",
    id_: str = "",
) -> Event:
    """One of an issue, by its id. `project` is a slug, a number or an object with either."""
    project = shaping.text(told, "project", "slug") or shaping.text(told, "project", "id")
    labels = {
        "project": project or shaping.text(told, "project"),
        "level": shaping.text(told, "level"),
        "platform": shaping.text(told, "platform"),
        "environment": shaping.text(told, "environment"),
        "rule": rule,
    }
    return Event(
        source=source.name,
        vendor="sentry",
        kind=kind,
        status=status,
        key=f"issue:{issue}",
        title=shaping.text(told, "title") or f"Sentry issue {issue}",
        summary=shaping.text(told, "culprit"),
        vendor_id=id_,
        vendor_severity=shaping.text(told, "level"),
        labels=shaping.plain(labels),
        details=shaping.plain(
            {"short_id": told.get("shortId"), "release": told.get("release"), "times": told.get("count")}
        ),
        starts_at=_instant(told),
        link=shaping.text(told, "web_url") or shaping.text(told, "permalink"),
    )


def _instant(told: Mapping[str, Any]) -> int:
    for name in ("datetime", "lastSeen", "firstSeen"):
        if isinstance(told.get(name), str):
            return instants.rfc3339(dict(told), name)
    return 0


_READERS: Mapping[str, Callable[[dict[str, Any], str, Source], Event]] = {
    "metric_alert": _metric_alert,
    "event": _event_alert,
    "error": _error,
    "issue": _issue,
}
