"""Slack as a source: what is said to our app, its slash commands and buttons, as information for rules.

https://api.slack.com/apis/events-api. To be paged in Slack, and to answer there, is for the channel `slack`.
The address is checked once by a challenge, which is signed like all else. Slack waits three seconds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from receiver import forms, hmacs, shaping, strict_json, timely
from routing.errors import BadSignature, Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Answer, Inbound, Parsed

STATES = frozenset({Status.INFO})
VERIFIED = "`X-Slack-Signature` (`v0`), HMAC-SHA256 over time and body; `tolerance`, past and future"
REPEAT = "the same `event_id` or `trigger_id`"
TITLE = "Slack (events)"
SETUP = """\
1. api.slack.com/apps → the app → Event Subscriptions: `https://<tocsin>/hooks/slack`, events like
   `message.channels` of a channel that machines write to.
2. Basic Information → *Signing Secret* into `SLACK_SIGNING_SECRET`.
"""


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    at = inbound.headers.get("x-slack-request-timestamp", "")
    prefix, _, given = inbound.headers.get("x-slack-signature", "").partition("=")
    if prefix != "v0" or not given or not at.isascii():
        raise BadSignature("no X-Slack-Signature header of the form v0=…", "is this really Slack?")
    if not hmacs.matches("sha256", b"v0:%b:%b" % (at.encode(), inbound.body), given, secrets):
        raise BadSignature("the signature does not match the body", "check SLACK_SIGNING_SECRET")
    timely.check(at, inbound.received_at, source)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    seconds = str(at // 1000)
    digest = hmacs.hexdigest("sha256", b"v0:%b:%b" % (seconds.encode(), body), secret)
    return {
        "content-type": "application/json",
        "x-slack-request-timestamp": seconds,
        "x-slack-signature": f"v0={digest}",
    }


def answer(inbound: Inbound, source: Source) -> Answer | None:
    """The challenge back; nothing else, which Slack would show to who pressed or typed."""
    try:
        told = _told(inbound.body)
    except Unreadable:
        return Answer()
    return Answer(200, {"content-type": "text/plain"}, shaping.text(told, "challenge").encode())


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    told = _told(inbound.body)
    event = told.get("event")
    if isinstance(event, dict):
        return Parsed((_said(told, event, source),))
    kind = "command" if "command" in told else shaping.needed(told, "type")
    about = shaping.text(told, "command") or _action(told)
    return Parsed(
        (
            shaping.bounded(
                Event(
                    source=source.name,
                    vendor="slack",
                    kind=kind,
                    status=Status.INFO,
                    key=f"{kind}:{about}",
                    title=f"Slack {kind.replace('_', ' ')} {about}".strip(),
                    summary=shaping.text(told, "text"),
                    vendor_id=shaping.text(told, "trigger_id"),
                    labels=shaping.plain(
                        {
                            "channel": shaping.text(told, "channel", "id")
                            or shaping.text(told, "channel_id"),
                            "user": shaping.text(told, "user", "id") or shaping.text(told, "user_id"),
                            "command": shaping.text(told, "command"),
                        }
                    ),
                )
            ),
        )
    )


def scrubbed(body: bytes) -> bytes:
    """Without the old verification token, and addresses that answer for us."""
    try:
        told = _told(body)
    except Unreadable:
        return body
    return orjson.dumps({name: each for name, each in told.items() if name not in {"token", "response_url"}})


def _told(body: bytes) -> dict[str, Any]:
    """JSON, a form, or a form whose field `payload` is JSON. Raises Unreadable."""
    if body.lstrip()[:1] == b"{":
        return strict_json.object_of(strict_json.loads(body))
    form: dict[str, Any] = dict(forms.loads(body))
    if "payload" in form:
        return strict_json.object_of(strict_json.loads(form["payload"].encode()))
    return form


def _said(told: Mapping[str, Any], event: dict[str, Any], source: Source) -> Event:
    kind, channel = shaping.needed(event, "type"), shaping.text(event, "channel")
    return shaping.bounded(
        Event(
            source=source.name,
            vendor="slack",
            kind=kind,
            status=Status.INFO,
            key=f"{kind}:{channel}",
            title=f"Slack {kind.replace('_', ' ')} in {channel or 'the workspace'}",
            summary=shaping.text(event, "text"),
            vendor_id=shaping.text(told, "event_id"),
            labels=shaping.plain(
                {
                    "channel": channel,
                    "user": shaping.text(event, "user"),
                    "bot": shaping.text(event, "bot_id"),
                    "subtype": shaping.text(event, "subtype"),
                }
            ),
            starts_at=_ms(told.get("event_time")),
        )
    )


def _action(told: Mapping[str, Any]) -> str:
    actions = told.get("actions")
    return shaping.text(actions[0], "action_id") if isinstance(actions, list) and actions else ""


def _ms(found: Any) -> int:
    return found * 1000 if type(found) is int and 0 < found < 10**11 else 0
