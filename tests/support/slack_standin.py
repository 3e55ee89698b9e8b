"""Slack, as far as we use it: posts, edits, makes channels, refuses what Slack refuses, and sends what people press.

It answers 200 and {"ok": false, "error": "<word>"} as Slack does. Run it alone:
`python tests/support/slack_standin.py --port 9003 --log calls.jsonl --receiver http://127.0.0.1:8080`.
"""

import hmac
import http.client
import json
import re
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from vendor_server import Asked, Reply, VendorServer, arguments, serve_for_ever

TOKEN = "xoxb-standin"  # of this stand-in only
SIGNING_SECRET = "standin-signing-secret"
BOT = "U0BOT"
SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "conversations.create": "channels:manage",
    "conversations.setPurpose": "channels:manage",
    "conversations.setTopic": "channels:manage",
    "conversations.invite": "channels:manage",
    "conversations.archive": "channels:manage",
    "conversations.list": "channels:read",
    "pins.add": "pins:write",
}
_TAKES = {
    "chat.postMessage": {"channel", "text", "blocks", "thread_ts", "reply_broadcast", "unfurl_links", "unfurl_media"},
    "chat.update": {"channel", "ts", "text", "blocks"},
    "conversations.create": {"name", "is_private"},
    "conversations.setPurpose": {"channel", "purpose"},
    "conversations.setTopic": {"channel", "topic"},
    "conversations.invite": {"channel", "users", "force"},
    "conversations.archive": {"channel"},
    "conversations.list": {"types", "limit", "cursor", "exclude_archived"},
    "pins.add": {"channel", "timestamp"},
}  # fmt: skip
_NAME = re.compile(r"[a-z0-9_-]{1,80}")


@dataclass
class Message:
    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    thread_ts: str = ""
    broadcast: bool = False
    edits: int = 0

    @property
    def shown(self) -> str:
        """Every text of its blocks, in order."""
        return "\n".join(_texts(self.blocks))

    @property
    def buttons(self) -> list[str]:
        return [each["action_id"] for each in self._elements()]

    def button(self, action: str) -> dict[str, Any]:
        return next(each for each in self._elements() if each["action_id"] == action)

    def _elements(self) -> list[dict[str, Any]]:
        return [each for block in self.blocks if block["type"] == "actions" for each in block["elements"]]


@dataclass
class Channel:
    id: str
    name: str
    private: bool = False
    purpose: str = ""
    topic: str = ""
    archived: bool = False
    member: bool = True
    """Whether the app is in it."""
    people: list[str] = field(default_factory=list)
    pins: list[str] = field(default_factory=list)


class SlackStandin(VendorServer):
    """`pace`: one message a second and channel, as Slack allows. `users`: who is in the workspace."""

    def __init__(
        self, *, port: int = 0, log: Path | None = None, receiver: str = "", pace: bool = False
    ) -> None:
        super().__init__(port=port, log=log)
        self.receiver = receiver
        self.pace = pace
        self.users = {"U0ANNA": "anna.slack", "U0BEN": "ben.slack", "U0ZOE": "zoe.slack"}
        self.channels: dict[str, Channel] = {}
        self.messages: list[Message] = []
        self.scopes = set(SCOPES.values())
        self.down = False
        """Whether it answers nothing but 503."""
        self.page = 1000
        """Channels in one answer of the list, whatever was asked for."""
        self._words: list[tuple[str, str]] = []
        self._last: dict[str, float] = {}
        self._ts = count(1)
        self.add("incidents")

    def settings(self, **changes: Any) -> dict[str, Any]:
        return {"token": TOKEN, "base_url": f"{self.url}/api", **changes}

    def fault(self, status: int) -> Any:
        return {"ok": False, "error": "ratelimited" if status == 429 else "scripted"}

    def refuse(self, method: str, word: str) -> None:
        """Answer the next call of this method so."""
        self._words.append((method, word))

    def add(self, name: str, **more: Any) -> Channel:
        made = Channel(f"C{len(self.channels) + 1:04d}", name, **more)
        self.channels[made.id] = made
        return made

    def of(self, name: str) -> Channel:
        return next(each for each in self.channels.values() if each.name == name)

    def said(self, channel: str) -> list[Message]:
        """In order; of a channel by id or name, or of a person."""
        ids = {
            channel,
            f"D{channel[1:]}",
            *(each.id for each in self.channels.values() if each.name == channel),
        }
        return [each for each in self.messages if each.channel in ids]

    def answer(self, asked: Asked) -> Reply:
        if self.down:
            return Reply(503, b"upstream connect error")
        _, _, method = asked.path.partition("/api/")
        refused, given = self._read(method, asked)
        if refused:
            return _no(refused) if isinstance(refused, str) else refused
        for scripted in self._words:
            if scripted[0] == method:
                self._words.remove(scripted)
                return _no(scripted[1])
        word = getattr(self, "_" + method.replace(".", "_"))(given)
        if isinstance(word, Reply):
            return word
        return _no(word) if isinstance(word, str) else Reply(200, {"ok": True, **(word or {})})

    def _read(self, method: str, asked: Asked) -> tuple[str | Reply, dict[str, Any]]:
        token = asked.headers.get("authorization", "")
        if method not in _TAKES:
            return "unknown_method", {}
        if not token:
            return "not_authed", {}
        if token != f"Bearer {TOKEN}":
            return "invalid_auth", {}
        if SCOPES[method] not in self.scopes:
            return Reply(200, {"ok": False, "error": "missing_scope", "needed": SCOPES[method]}), {}
        if method == "conversations.list":
            given: dict[str, Any] = {name: values[0] for name, values in asked.query.items()}
        elif asked.method != "POST" or asked.query:
            return "invalid_post_type", {}
        elif asked.headers.get("content-type") != "application/json; charset=utf-8":
            return "missing_charset", {}
        else:
            given = asked.json
        return ("invalid_arguments" if set(given) - _TAKES[method] else ""), given

    def _chat_postMessage(self, given: dict[str, Any]) -> Any:  # noqa: N802  # Slack's name
        channel = self._place(given.get("channel", ""))
        if isinstance(channel, str) and channel.startswith("!"):
            return channel[1:]
        if word := wrong(given, 40_000):
            return word
        if self.pace and time.monotonic() - self._last.get(channel, 0) < 1:
            return Reply(429, self.fault(429), {"Retry-After": "1"})
        self._last[channel] = time.monotonic()
        thread = given.get("thread_ts", "")
        if thread and not any(each.ts == thread and each.channel == channel for each in self.messages):
            return "thread_not_found"
        ts = f"{1_764_000_000 + next(self._ts)}.{len(self.messages):06d}"
        self.messages.append(
            Message(channel, ts, given["text"], given["blocks"], thread, bool(given.get("reply_broadcast")))
        )
        return {"channel": channel, "ts": ts, "message": {"text": given["text"]}}

    def _chat_update(self, given: dict[str, Any]) -> Any:
        found = [each for each in self.messages if (each.channel, each.ts) == (given["channel"], given["ts"])]
        if not found:
            return "message_not_found"
        if given["channel"] in self.channels and self.channels[given["channel"]].archived:
            return "is_archived"
        if word := wrong(given, 4_000):
            return word
        found[0].text, found[0].blocks = given["text"], given["blocks"]
        found[0].edits += 1
        return {"channel": given["channel"], "ts": given["ts"]}

    def _conversations_create(self, given: dict[str, Any]) -> Any:
        name = given.get("name", "")
        if len(name) > 80:
            return "invalid_name_maxlength"
        if not _NAME.fullmatch(name):
            return "invalid_name_specials" if name else "invalid_name_required"
        if any(each.name == name for each in self.channels.values()):
            return "name_taken"
        made = self.add(name, private=bool(given.get("is_private")))
        return {"channel": {"id": made.id, "name": name}}

    def _conversations_setPurpose(self, given: dict[str, Any]) -> Any:  # noqa: N802
        return self._about(given, "purpose")

    def _conversations_setTopic(self, given: dict[str, Any]) -> Any:  # noqa: N802
        return self._about(given, "topic")

    def _about(self, given: dict[str, Any], what: str) -> Any:
        if len(given[what]) > 250:
            return "too_long"
        if given["channel"] not in self.channels:
            return "channel_not_found"
        setattr(self.channels[given["channel"]], what, given[what])
        return {what: given[what]}

    def _conversations_invite(self, given: dict[str, Any]) -> Any:
        channel = self.channels.get(given["channel"])
        if channel is None or channel.archived:
            return "is_archived" if channel else "channel_not_found"
        users = given["users"].split(",")
        new = [each for each in users if each in self.users and each not in channel.people]
        channel.people += new
        return (
            None
            if len(new) == len(users)
            else "already_in_channel"
            if set(users) <= set(self.users)
            else "user_not_found"
        )

    def _conversations_archive(self, given: dict[str, Any]) -> Any:
        channel = self.channels.get(given["channel"])
        if channel is None or channel.archived:
            return "already_archived" if channel else "channel_not_found"
        channel.archived = True
        return None

    def _conversations_list(self, given: dict[str, Any]) -> Any:
        known, start = list(self.channels.values()), int(given.get("cursor") or 0)
        page = known[start : start + min(self.page, int(given.get("limit", 100)))]
        following = start + len(page)
        shown = [
            {
                "id": each.id,
                "name": each.name,
                "is_archived": each.archived,
                "purpose": {"value": each.purpose},
            }
            for each in page
        ]
        cursor = str(following) if following < len(known) else ""
        return {"channels": shown, "response_metadata": {"next_cursor": cursor}}

    def _pins_add(self, given: dict[str, Any]) -> Any:
        channel = self.channels.get(given["channel"])
        if channel is None:
            return "channel_not_found"
        if given["timestamp"] in channel.pins:
            return "already_pinned"
        channel.pins.append(given["timestamp"])
        return None

    def _place(self, channel: str) -> str:
        """Where it lands, or "!" and why it does not."""
        if channel in self.users:
            return f"D{channel[1:]}"
        if channel.startswith("D") and f"U{channel[1:]}" in self.users:
            return channel
        found = self.channels.get(channel) or next(
            (each for each in self.channels.values() if f"#{each.name}" == channel), None
        )
        if found is None:
            return "!channel_not_found"
        if found.archived:
            return "!is_archived"
        return found.id if found.member else "!not_in_channel"

    # ── what people do ───────────────────────────────────────────────────────────────────────────────

    def press(self, ts: str, action: str, user: str, **changes: Any) -> int:
        """Somebody presses a button of a message. Returns the receiver's status."""
        message = next(each for each in self.messages if each.ts == ts)
        pressed = {**message.button(action), "type": "button", "action_ts": "1764000000.000100"}
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": self.users[user], "name": self.users[user], "team_id": "T1"},
            "api_app_id": "A1",
            "token": "deprecated",
            "trigger_id": f"{ts}.{action}.{user}",
            "team": {"id": "T1", "domain": "shop"},
            "channel": {"id": message.channel, "name": "x"},
            "container": {"type": "message", "message_ts": ts, "channel_id": message.channel},
            "response_url": "https://hooks.slack.example/actions/T1/1/x",
            "actions": [pressed],
            **changes,
        }
        return self._send("/callbacks/slack/interactions", urlencode({"payload": json.dumps(payload)}))[0]

    def command(self, user: str, text: str) -> tuple[int, Any]:
        """Somebody writes /tocsin. Returns the receiver's status, and what is shown to them alone."""
        form = {
            "command": "/tocsin", "text": text, "user_id": user, "user_name": self.users[user], "team_id": "T1",
            "channel_id": "C0001", "channel_name": "incidents", "trigger_id": f"13.{next(self._ts)}", "api_app_id": "A1",
            "response_url": "https://hooks.slack.example/commands/1", "token": "deprecated", "team_domain": "shop",
        }  # fmt: skip
        status, body = self._send("/callbacks/slack/commands", urlencode(form))
        return status, json.loads(body) if body else {}

    def control(self, what: str, given: Any) -> Any:
        if what == "messages":
            return [{**each.__dict__, "buttons": each.buttons} for each in self.messages]
        if what == "channels":
            return [each.__dict__ for each in self.channels.values()]
        if what == "press":
            return {"status": self.press(**given)}
        if what == "command":
            return dict(zip(("status", "said"), self.command(**given), strict=True))
        raise KeyError(what)

    def _send(self, path: str, body: str) -> tuple[int, bytes]:
        at = str(int(time.time()))
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": at,
            "x-slack-signature": signature(SIGNING_SECRET, at, body.encode()),
        }
        parts = urlsplit(self.receiver)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=3)
        try:
            connection.request("POST", path, body.encode(), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def signature(secret: str, at: str, body: bytes) -> str:
    return "v0=" + hmac.new(secret.encode(), f"v0:{at}:".encode() + body, "sha256").hexdigest()


def _no(word: str) -> Reply:
    return Reply(200, {"ok": False, "error": word})


def wrong(given: dict[str, Any], most: int) -> str:
    """Why Slack would not show it; "" where it would."""
    if not given.get("text") and not given.get("blocks"):
        return "no_text"
    if _length(given.get("text", "")) > most:
        return "msg_too_long"
    blocks = given.get("blocks", [])
    ids = [each["action_id"] for block in blocks for each in block.get("elements", ()) if "action_id" in each]
    sound = len(blocks) <= 50 and all(map(_is_block, blocks)) and len(ids) == len(set(ids))
    return "" if sound else "invalid_blocks"


def _is_block(block: dict[str, Any]) -> bool:
    kind, elements = block.get("type"), block.get("elements", [])
    if kind == "header":
        return set(block) == {"type", "text"} and _is_text(block["text"], 150, "plain_text")
    if kind == "section":
        return set(block) == {"type", "text"} and _is_text(block["text"], 3000)
    if kind == "context":
        return 1 <= len(elements) <= 10 and all(_is_text(each, 3000) for each in elements)
    return kind == "actions" and 1 <= len(elements) <= 25 and all(map(_is_button, elements))


def _is_text(given: dict[str, Any], most: int, only: str = "") -> bool:
    known = given.get("type") in ({only} if only else {"plain_text", "mrkdwn"})
    return known and 1 <= _length(given.get("text", "")) <= most


def _is_button(given: dict[str, Any]) -> bool:
    return (
        given.get("type") == "button"
        and set(given) <= {"type", "text", "action_id", "value", "url", "style"}
        and _is_text(given["text"], 75, "plain_text")
        and 1 <= len(given["action_id"]) <= 255
        and len(given.get("value", "")) <= 2000
        and len(given.get("url", "")) <= 3000
        and given.get("style", "primary") in {"primary", "danger"}
    )


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _texts(given: Any) -> list[str]:
    if isinstance(given, list):
        return [text for each in given for text in _texts(each)]
    if isinstance(given, dict):
        own = [given["text"]] if isinstance(given.get("text"), str) else []
        return own + [
            text for value in given.values() if not isinstance(value, str) for text in _texts(value)
        ]
    return []


if __name__ == "__main__":
    parser = arguments()
    parser.add_argument("--receiver", default="")
    given = parser.parse_args()
    serve_for_ever(SlackStandin(port=given.port, log=given.log, receiver=given.receiver))
