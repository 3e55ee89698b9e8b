"""What speaks to PagerDuty's Events API v2: `POST /v2/enqueue`, and `/v2/change/enqueue` for what was changed.

https://developer.pagerduty.com/docs/events-api-v2-overview. The routing key is the source's token. An alert is what
its `dedup_key` says, in the order in which reports come: `timestamp` is for people to read.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from receiver import instants, shaping, strict_json, tokens
from routing.alerts import fingerprint
from routing.entry import AlertCommand, Verb
from routing.errors import BadSignature, Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Answer, Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "the routing key: `routing_key` of the body, or `X-Routing-Key`"
REPEAT = 'news: "still firing", by its `dedup_key`'
TITLE = "PagerDuty Events API v2"
SETUP = """\
1. A long random token into `PAGERDUTY_ROUTING_KEY` (32 letters and digits, where the sender insists).
2. Give the sender `https://<tocsin>` instead of `https://events.pagerduty.com`, and the token as routing or
   integration key. Its addresses stay: `/v2/enqueue`, `/v2/change/enqueue`.
"""
PATH = "/v2/enqueue"
CHANGES = "/v2/change/enqueue"

_ACTIONS = ("trigger", "acknowledge", "resolve")
_SEVERITIES = ("critical", "warning", "error", "info")
_KEY, _SUMMARY, _TITLE, _MOST = 255, 1024, 200, 20
_VIA = "PagerDuty's Events API"


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    """Whatever is sent twice must be right both times. Raises BadSignature."""
    header, told = inbound.headers.get("x-routing-key", ""), _given(inbound.body)
    if not header and not told:
        raise BadSignature(
            "no routing key", "the body is JSON; its routing_key is the token configured for this source"
        )
    for given in filter(None, (header, told)):
        tokens.verify_given(given, secrets, "routing key")


def _given(body: bytes) -> str:
    """Nothing in what cannot be read: with a header that is right it becomes a dead letter."""
    try:
        found = shaping.at(strict_json.loads(body), "routing_key")
    except Unreadable:
        return ""
    return found if isinstance(found, str) else ""


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", "x-routing-key": secret}


def address(value: Mapping[str, Any]) -> str:
    return PATH if "event_action" in value else CHANGES


def scrubbed(body: bytes) -> bytes:
    """Without the routing key."""
    try:
        told = strict_json.object_of(strict_json.loads(body))
    except Unreadable:
        return body
    return orjson.dumps({name: value for name, value in told.items() if name != "routing_key"})


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event, or the acknowledgement of one. Raises Unreadable saying all that is wrong."""
    told = strict_json.object_of(strict_json.loads(inbound.body))
    if wrong := faults_of(told, inbound.path):
        raise Unreadable("; ".join(wrong))
    if _is_change(told, inbound.path):
        return Parsed((_change(told, inbound, source),))
    if told["event_action"] == "acknowledge":
        event = _alert(told, inbound, source, Status.INFO)
        mark = fingerprint.fingerprint(event, "")
        command = AlertCommand(
            at=inbound.received_at,
            by=f"source {source.name}",
            source=source.name,
            verb=Verb.ACK,
            alert=mark,
            via=_VIA,
        )
        return Parsed((), commands=(command,))
    status = Status.FIRING if told["event_action"] == "trigger" else Status.RESOLVED
    return Parsed((_alert(told, inbound, source, status),))


def answer(inbound: Inbound, source: Source) -> Answer | None:
    """PagerDuty's own words; None where it could not be read."""
    try:
        told = strict_json.object_of(strict_json.loads(inbound.body))
    except Unreadable:
        return None
    if faults_of(told, inbound.path):
        return None
    said = {"status": "success", "message": "Event processed"}
    if not _is_change(told, inbound.path):
        said["dedup_key"] = _dedup_key(told, inbound)
    return Answer(202, {"content-type": "application/json"}, orjson.dumps(said))


def faults_of(told: Mapping[str, Any], path: str) -> list[str]:
    """All that is wrong with an event sent there, each as PagerDuty says it."""
    if _is_change(told, path):
        return _payload_faults(told, change=True)
    action = told.get("event_action")
    if not action:
        return ["'event_action' is missing or blank"]
    if action not in _ACTIONS:
        return [f"'event_action' is invalid (must be one of the following: {_listed(_ACTIONS)})"]
    wrong = _key_faults(told.get("dedup_key"), needed=action != "trigger")
    return wrong if action != "trigger" else [*wrong, *_payload_faults(told, change=False)]


def _is_change(told: Mapping[str, Any], path: str) -> bool:
    return path == CHANGES or (path != PATH and "event_action" not in told)


def _key_faults(key: Any, *, needed: bool) -> list[str]:
    if key is None or key == "":
        return ["'dedup_key' is missing or blank"] if needed else []
    if not isinstance(key, str):
        return ["'dedup_key' is invalid (must be a string)"]
    return [f"'dedup_key' is too long (maximum is {_KEY} characters)"] if len(key) > _KEY else []


def _payload_faults(told: Mapping[str, Any], *, change: bool) -> list[str]:
    payload = told.get("payload")
    if not isinstance(payload, dict):
        return ["'payload' is missing or blank"]
    needed = ("summary",) if change else ("summary", "source", "severity")
    wrong = [
        f"'payload.{name}' is missing or blank"
        for name in needed
        if not shaping.written(payload.get(name)).strip()
    ]
    if len(shaping.written(payload.get("summary"))) > _SUMMARY:
        wrong.append(f"'payload.summary' is too long (maximum is {_SUMMARY} characters)")
    severity = payload.get("severity")
    if not change and severity and severity not in _SEVERITIES:
        wrong.append(f"'payload.severity' is invalid (must be one of the following: {_listed(_SEVERITIES)})")
    return wrong


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _dedup_key(told: Mapping[str, Any], inbound: Inbound) -> str:
    """Its own, or else one made for it: the same whenever this very request is read again."""
    own = told.get("dedup_key")
    if isinstance(own, str) and own:
        return own
    rest = orjson.dumps({name: value for name, value in told.items() if name != "routing_key"})
    return blake2b(b"%d.%b" % (inbound.received_at, rest), digest_size=16).hexdigest()


def _alert(told: Mapping[str, Any], inbound: Inbound, source: Source, status: Status) -> Event:
    key, payload = _dedup_key(told, inbound), told.get("payload")
    summary, kind = shaping.text(payload, "summary"), shaping.text(payload, "class")
    links = _links(told)
    return shaping.bounded(
        Event(
            source=source.name,
            vendor="pagerduty_events",
            kind=kind.strip() or str(told["event_action"]),
            status=status,
            key=key,
            title=_line(summary) or f"{told['event_action']}: {_line(key)}",
            summary=summary if len(summary) > _TITLE else "",
            vendor_severity=shaping.text(payload, "severity"),
            labels=_labels(told, payload),
            details=_details(told, payload),
            # Each is another occurrence: one after the end of its alert, whoever ended it, begins a new one.
            starts_at=inbound.received_at if status is Status.FIRING else 0,
            link=links[0] if links else shaping.text(told, "client_url"),
        )
    )


def _change(told: Mapping[str, Any], inbound: Inbound, source: Source) -> Event:
    """Each is another: the same change twice is one only when it is the same request."""
    payload, links = told["payload"], _links(told)
    return shaping.bounded(
        Event(
            source=source.name,
            vendor="pagerduty_events",
            kind="change",
            status=Status.INFO,
            key=f"change:{_dedup_key({**told, 'dedup_key': None}, inbound)}",
            title=_line(shaping.text(payload, "summary")),
            labels=_labels(told, payload),
            details=_details(told, payload),
            starts_at=_instant(payload.get("timestamp")),
            link=links[0] if links else "",
        )
    )


def _line(text: str) -> str:
    return " ".join(text[:_TITLE].split())


def _labels(told: Mapping[str, Any], payload: Any) -> dict[str, str]:
    """What is called source there is `origin` here, where a source is who sent it."""
    named = {name: shaping.text(payload, name) for name in ("component", "group", "class")}
    return shaping.plain(
        {"origin": shaping.text(payload, "source"), **named, "client": shaping.text(told, "client")}
    )


def _details(told: Mapping[str, Any], payload: Any) -> dict[str, str]:
    custom = shaping.at(payload, "custom_details")
    named = {
        "timestamp": shaping.text(payload, "timestamp"),
        "links": ", ".join(_links(told)),
        "images": ", ".join(_addresses(told.get("images"), "src")),
    }
    return shaping.plain({**(custom if isinstance(custom, dict) else {"details": custom}), **named})


def _links(told: Mapping[str, Any]) -> list[str]:
    return _addresses(told.get("links"), "href")


def _addresses(found: Any, name: str) -> list[str]:
    """Of a web page only: what people are shown they can open."""
    listed = [shaping.text(each, name) for each in found[:_MOST]] if isinstance(found, list) else []
    return [each for each in listed if each.startswith(("https://", "http://"))]


def _instant(found: Any) -> int:
    """0 for what is none. Some write an offset and a Z after it."""
    text = shaping.written(found)
    text = text[:-1] if text.endswith("+00:00Z") else text
    try:
        return instants.rfc3339({"timestamp": text}, "timestamp")
    except Unreadable:
        return 0
