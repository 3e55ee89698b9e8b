"""Datadog's monitors, by its webhooks integration. The body is a template of yours: ours is below.

https://docs.datadoghq.com/integrations/webhooks/. It is not signed. A variable that has no value is sent empty, or as
it was written.
"""

from collections.abc import Sequence

from receiver import shaping, strict_json, tokens
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a token: in the `Authorization` header, `X-Tocsin-Token`, or `?token=` of the address"
REPEAT = "the same `$ID`"
TITLE = "Datadog"
SETUP = """\
1. Integrations → Webhooks → *New*: `https://<tocsin>/hooks/datadog`, custom headers
   `{"Authorization": "Bearer <DATADOG_TOKEN>"}`, and this payload:

       {"id": "$ID", "transition": "$ALERT_TRANSITION", "monitor": "$ALERT_ID", "group": "$AGGREG_KEY",
        "title": "$EVENT_TITLE", "text": "$TEXT_ONLY_MSG", "priority": "$ALERT_PRIORITY", "scope": "$ALERT_SCOPE",
        "metric": "$ALERT_METRIC", "tags": "$TAGS", "link": "$LINK", "date": "$DATE"}

2. In each monitor, notify `@webhook-<name>`.
"""

_STATES = {
    "triggered": Status.FIRING,
    "re-triggered": Status.FIRING,
    "no data": Status.FIRING,
    "re-no data": Status.FIRING,
    "warn": Status.FIRING,
    "re-warn": Status.FIRING,
    "renotify": Status.FIRING,
    "recovered": Status.RESOLVED,
}
_WORDS = {"warn": "warning", "re-warn": "warning", "no data": "no data", "re-no data": "no data"}


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    tokens.verify_anywhere(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    body = strict_json.object_of(strict_json.loads(inbound.body))
    told = {
        name: "" if isinstance(value, str) and value.startswith("$") else value
        for name, value in body.items()
    }
    monitor, transition = shaping.needed(told, "monitor"), shaping.text(told, "transition").casefold()
    tags = dict(tag.partition(":")[::2] for tag in shaping.text(told, "tags").split(",") if ":" in tag)
    group = shaping.text(told, "group") or shaping.text(told, "scope")
    event = Event(
        source=source.name,
        vendor="datadog",
        kind="monitor",
        status=_STATES.get(transition, Status.INFO),
        key=f"monitor:{monitor}:{group}",
        title=shaping.text(told, "title") or f"Monitor {monitor}",
        summary=shaping.text(told, "text"),
        vendor_id=shaping.text(told, "id"),
        vendor_severity=shaping.text(told, "priority") or _WORDS.get(transition, ""),
        labels=shaping.plain({**{name.strip(): value for name, value in tags.items()}, "monitor": monitor,
                              "transition": transition, "metric": shaping.text(told, "metric")}),
        starts_at=_ms(shaping.text(told, "date")),
        link=shaping.text(told, "link"),
    )  # fmt: skip
    return Parsed((shaping.bounded(event),))


def _ms(written: str) -> int:
    return int(written) if written.isascii() and written.isdigit() and len(written) <= 15 else 0  # noqa: PLR2004
