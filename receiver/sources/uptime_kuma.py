"""Uptime Kuma's monitors, by a webhook notification: `{heartbeat, monitor, msg}`.

https://github.com/louislam/uptime-kuma. It is not signed. It sends all it knows of a monitor, its passwords too: those
are not kept.
"""

from collections.abc import Sequence

import orjson

from receiver import instants, shaping, strict_json, tokens
from routing.errors import Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a token: in the `Authorization` header, `X-Tocsin-Token`, or `?token=` of the address"
REPEAT = "the same monitor, status and time"
TITLE = "Uptime Kuma"
SETUP = """\
Settings → Notifications → Webhook: `https://<tocsin>/hooks/uptime_kuma`, body *Preset - application/json*, additional
headers `{"Authorization": "Bearer <UPTIME_KUMA_TOKEN>"}`; apply it to the monitors.
"""

_STATES = {0: Status.FIRING, 1: Status.RESOLVED}
_WORDS = {0: "is down", 1: "is up", 2: "is pending", 3: "is in maintenance"}
_KEPT = frozenset({"id", "name", "type", "url", "hostname", "port", "interval"})


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    tokens.verify_anywhere(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    body = strict_json.object_of(strict_json.loads(inbound.body))
    beat, monitor = shaping.at(body, "heartbeat"), shaping.at(body, "monitor")
    state = shaping.at(beat, "status")
    known = type(state) is int
    message = shaping.text(body, "msg") if known else shaping.needed(body, "msg")
    id_ = shaping.text(monitor, "id") or shaping.text(beat, "monitorID")
    name, at = shaping.text(monitor, "name") or f"Monitor {id_}", shaping.text(beat, "time")
    event = Event(
        source=source.name,
        vendor="uptime_kuma",
        kind="monitor" if known else "message",
        status=_STATES.get(state, Status.INFO) if known else Status.INFO,
        key=f"monitor:{id_}",
        title=f"{name} {_WORDS.get(state, 'has changed')}"
        if known
        else message.split("\n")[0].strip() or name,
        summary=shaping.text(beat, "msg") or message,
        vendor_id=f"{id_}:{state}:{at}" if known and at else "",
        labels=shaping.plain(
            {"monitor": name, "url": shaping.text(monitor, "url") or shaping.text(monitor, "hostname")}
        ),
        starts_at=instants.rfc3339({"time": f"{at.replace(' ', 'T')}Z"}, "time", "heartbeat") if at else 0,
    )
    return Parsed((shaping.bounded(event),))


def scrubbed(body: bytes) -> bytes:
    """Of the monitor only what names it."""
    try:
        told = strict_json.object_of(strict_json.loads(body))
    except Unreadable:
        return body
    monitor = told.get("monitor")
    if isinstance(monitor, dict):
        told["monitor"] = {name: value for name, value in monitor.items() if name in _KEPT}
    return orjson.dumps(told)
