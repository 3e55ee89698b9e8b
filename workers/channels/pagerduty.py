"""Forwarding to PagerDuty: an incident of ours is one of theirs, opened, acknowledged and resolved with it.

Settings: routing_key (of an Events API v2 integration), source, events_per_s, base_url. The address of a contact's
method is any name. Source: developer.pagerduty.com, Events API v2 (enqueue).
"""

from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from routing.delivery import Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.incident import Incident, Phase
from routing.instant import iso
from routing.ports import Notification, Pace, Sent
from routing.severity import Severity
from workers import carrier, quota
from workers.answer import Call
from workers.carrier import Fault, Vendor
from workers.text import cut, one_line, printable

TITLE = "PagerDuty"
VOICE = False
MACHINE = True
THREADS = True

_SEVERITY: Final = {
    Severity.SEV0: "critical",
    Severity.SEV1: "error",
    Severity.SEV2: "warning",
    Severity.SEV3: "warning",
    Severity.SEV4: "info",
}
_ACTION: Final = {Phase.TRIGGERED: "trigger", Phase.ACKNOWLEDGED: "acknowledge", Phase.RESOLVED: "resolve"}
_MOST_SUMMARY: Final = 1_024
_MOST_TEXT: Final = 20_000


class Settings(BaseModel):
    """`source`: tells several Tocsins apart that share a routing key. `base_url`: https://events.eu.pagerduty.com for
    accounts in the EU, or a stand-in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    routing_key: SecretStr
    source: str = Field(default="tocsin", pattern=r"^[A-Za-z0-9._-]{1,64}$")
    base_url: str = Field(default="https://events.pagerduty.com", pattern=r"^https?://")
    events_per_s: float = Field(default=2, gt=0, le=1000)
    """Of the integration, which takes 120 a minute."""


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError. Sent twice it is one incident there: what counts is the dedup_key."""
    event = _event(notification, settings)
    sent = _enqueue(event, settings, timeout_s)
    if notification.purpose is Purpose.TEST:
        _enqueue({**event, "event_action": "resolve"}, settings, timeout_s)
    return sent


def _enqueue(event: dict[str, Any], settings: Settings, timeout_s: float) -> Sent:
    call = Call(
        method="POST",
        url=f"{settings.base_url.rstrip('/')}/v2/enqueue",
        mutates=True,
        timeout_s=timeout_s,
        json={**event, "routing_key": settings.routing_key.get_secret_value()},
    )
    answer = carrier.ask(PAGERDUTY, call)
    if carrier.body(answer).get("status") != "success":
        raise carrier.unsure(PAGERDUTY, answer, "without success")
    return Sent(provider_id=event["dedup_key"], answer=f"{answer.status} {event['event_action']}")


def limits(notification: Notification, settings: Settings) -> tuple[Pace, ...]:
    del notification
    return (Pace(f"pagerduty:{quota.of(settings.routing_key)}", settings.events_per_s),)


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        for name, value in _event(notification, settings).items()
    }


def _event(notification: Notification, settings: Settings) -> dict[str, Any]:
    """Raises DeliveryError for what belongs to no incident and is no trouble of Tocsin's own."""
    action = _action(notification)
    event: dict[str, Any] = {
        "event_action": action,
        "dedup_key": f"{settings.source}/{_about(notification)}",
    }
    if action != "trigger":
        return event
    message, standing = notification.message, notification.standing
    event["client"] = "Tocsin"
    event["payload"] = {
        "summary": cut(one_line(standing.title if standing else message.title) or "Tocsin", _MOST_SUMMARY),
        "source": settings.source,
        "severity": "info" if notification.purpose is Purpose.TEST else _SEVERITY[notification.severity],
        "custom_details": {"text": cut(printable(message.body), _MOST_TEXT), **_details(notification)},
        **(_facts(standing) if standing else {}),
    }
    if notification.ack_url:
        event["links"] = [{"href": notification.ack_url, "text": "Acknowledge in Tocsin"}]
    return event


def _about(notification: Notification) -> str:
    """Trouble of Tocsin's own is one incident, however often it is told."""
    if notification.purpose is Purpose.TEST:
        return notification.delivery
    return notification.incident or "tocsin"


def _action(notification: Notification) -> str:
    """By how the incident stands: what was not opened there yet cannot be acknowledged, and a page asks for somebody.
    Without one, trouble of Tocsin itself begins with a page and ends with an update.
    """
    standing = notification.standing
    if standing is not None:
        new = not notification.thread or notification.purpose is Purpose.PAGE
        return "trigger" if new and standing.phase is not Phase.RESOLVED else _ACTION[standing.phase]
    if notification.purpose is Purpose.TEST:
        return "trigger"  # and resolved at once
    if notification.purpose is Purpose.NOTICE or notification.together:
        said = "PagerDuty takes one incident at a time, and no notices"
        raise DeliveryError(said, outcome=Outcome.PERMANENT)
    if notification.incident:  # archived: it is long over
        return "resolve" if notification.purpose is Purpose.UPDATE else "trigger"
    return "trigger" if notification.purpose is Purpose.PAGE else "resolve"


def _details(notification: Notification) -> dict[str, str]:
    return {"incident": notification.incident, "severity": str(notification.severity)}


def _facts(standing: Incident) -> dict[str, str]:
    found = {
        "timestamp": iso(standing.opened_at),
        "component": standing.service,
        "group": standing.team,
    }
    return {name: value for name, value in found.items() if value}


def _said(fault: Fault) -> str:
    errors = fault.get("errors")
    told = [str(each) for each in errors] if isinstance(errors, list) else []
    return "; ".join([str(fault.get("message") or fault.get("status") or "no explanation"), *told])


PAGERDUTY: Final = Vendor(
    "PagerDuty",
    {
        400: "check routing_key: it is that of an Events API v2 integration of a service",
        403: "check routing_key, and base_url for accounts in the EU",
    },
    _said,
)
