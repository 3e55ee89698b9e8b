"""Telegram's Bot API, as far as we use it: takes messages and their changes, refuses what Telegram refuses, and tells the
receiver of buttons and of what is written, with the secret token.
"""

import http.client
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from vendor_server import Asked, Reply, VendorServer

TOKEN = "123456789:standin_telegram_token_0123456789"
SECRET = "standin-telegram-secret"
CHAT, GROUP, BLOCKED, NOWHERE = 1001, -1002, 1003, 1999
_SHARED = {"chat_id", "text", "entities", "link_preview_options", "reply_markup"}
_TAKES = {
    "sendMessage": _SHARED | {"reply_parameters"},
    "editMessageText": _SHARED | {"message_id"},
}
_SAYS = {
    400: "Bad Request: chat not found", 401: "Unauthorized", 403: "Forbidden: bot was blocked by the user",
    404: "Not Found", 409: "Conflict", 429: "Too Many Requests: retry after 7", 500: "Internal Server Error",
}  # fmt: skip


@dataclass
class Shown:
    """A message as the chat shows it now."""

    chat: int
    number: int
    text: str
    rows: list[list[dict[str, str]]]
    answers: int = 0
    """The message it answers; 0 for none."""
    edits: int = 0
    past: list[str] = field(default_factory=list)

    @property
    def buttons(self) -> list[str]:
        return [button["text"] for row in self.rows for button in row]


class TelegramStandin(VendorServer):
    """`messages`, in order. `receiver`: where updates go."""

    def __init__(self, receiver: str = "") -> None:
        super().__init__()
        self.messages: list[Shown] = []
        self.receiver = receiver
        self.moved: dict[int, int] = {}
        """Groups that became supergroups: the old id -> the new one."""
        self._updates = 0

    def channel(self, **changes: Any) -> dict[str, Any]:
        """What the channel needs to use it."""
        return {"token": TOKEN, "base_url": self.url, **changes}

    def fault(self, status: int) -> Any:
        more = {"parameters": {"retry_after": 7}} if status == 429 else {}
        return {"ok": False, "error_code": status, "description": _SAYS.get(status, "scripted"), **more}

    def answer(self, asked: Asked) -> Reply:
        _, bot, method = asked.path.split("/") if asked.path.count("/") == 2 else ("", "", "")
        if bot != f"bot{TOKEN}":
            return Reply(401, self.fault(401))
        if method not in _TAKES or asked.method != "POST":
            return Reply(404, self.fault(404))
        given = asked.json
        if asked.headers.get("content-type") != "application/json" or given.keys() - _TAKES[method]:
            return self.bad("Bad Request: unknown field")
        chat = int(given["chat_id"])
        if chat in self.moved:
            body = {
                **self.fault(400),
                "description": "Bad Request: group chat was upgraded to a supergroup chat",
            }
            return Reply(400, {**body, "parameters": {"migrate_to_chat_id": self.moved[chat]}})
        if chat == BLOCKED:
            return Reply(403, self.fault(403))
        if chat == NOWHERE:
            return Reply(400, self.fault(400))
        if wrong := _wrong(given):
            return self.bad(wrong)
        return self.edit(chat, given) if method == "editMessageText" else self.send(chat, given)

    def send(self, chat: int, given: dict[str, Any]) -> Reply:
        replied = given.get("reply_parameters", {})
        known = self.find(chat, replied.get("message_id", 0))
        if replied and known is None and not replied.get("allow_sending_without_reply"):
            return self.bad("Bad Request: message to be replied not found")
        made = Shown(chat, len(self.messages) + 1, given["text"], _rows(given), known.number if known else 0)
        self.messages.append(made)
        return _ok(made)

    def edit(self, chat: int, given: dict[str, Any]) -> Reply:
        found = self.find(chat, given["message_id"])
        if found is None:
            return self.bad("Bad Request: message to edit not found")
        if (found.text, found.rows) == (given["text"], _rows(given)):
            return self.bad("Bad Request: message is not modified")
        found.past.append(found.text)
        found.text, found.rows, found.edits = given["text"], _rows(given), found.edits + 1
        return _ok(found)

    def find(self, chat: int, number: int) -> Shown | None:
        return next((each for each in self.messages if (each.chat, each.number) == (chat, number)), None)

    def bad(self, description: str) -> Reply:
        return Reply(400, {"ok": False, "error_code": 400, "description": description})

    def press(self, message: Shown, label: str, who: int = CHAT, secret: str = SECRET) -> tuple[int, Any]:
        """Somebody presses a button. Returns the receiver's status and answer."""
        data = next(each["callback_data"] for row in message.rows for each in row if each["text"] == label)
        return self.update(pressed(message.chat, data, who), secret)

    def write(self, text: str, chat: int = CHAT, who: int = CHAT) -> tuple[int, Any]:
        """Somebody writes to the bot."""
        message = {
            "message_id": 1,
            "chat": {"id": chat},
            "from": {"id": who, "first_name": "Anna"},
            "text": text,
        }
        return self.update({"message": message})

    def update(self, what: dict[str, Any], secret: str = SECRET) -> tuple[int, Any]:
        self._updates += 1
        to = urlsplit(self.receiver)
        connection = http.client.HTTPConnection(to.hostname or "", to.port or 80, timeout=10)
        headers = {"Content-Type": "application/json", "X-Telegram-Bot-Api-Secret-Token": secret}
        try:
            body = json.dumps({"update_id": self._updates, **what})
            connection.request("POST", "/callbacks/telegram", body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


def pressed(chat: int, data: str, who: int = CHAT) -> dict[str, Any]:
    return {
        "callback_query": {
            "id": "4382bfdwdsb323b2d9",
            "from": {"id": who, "first_name": "Anna", "username": "anna_n"},
            "message": {"message_id": 1, "chat": {"id": chat}},
            "data": data,
        }
    }


def _ok(message: Shown) -> Reply:
    made = {
        "message_id": message.number,
        "chat": {"id": message.chat},
        "date": 1764297000,
        "text": message.text,
    }
    return Reply(200, {"ok": True, "result": made})


def _rows(given: dict[str, Any]) -> list[list[dict[str, str]]]:
    found: list[list[dict[str, str]]] = given.get("reply_markup", {}).get("inline_keyboard", [])
    return found


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _wrong(given: dict[str, Any]) -> str:
    """What Telegram would say of it; "" when nothing is wrong."""
    if not given["text"].strip():
        return "Bad Request: message text is empty"
    if _units(given["text"]) > 4096:
        return "Bad Request: message is too long"
    for entity in given.get("entities", []):
        if (
            entity["offset"] < 0
            or entity["length"] < 1
            or entity["offset"] + entity["length"] > _units(given["text"])
        ):
            return "Bad Request: entity beyond the text"
    for button in (button for row in _rows(given) for button in row):
        if not button.get("text") or len(button.keys() & {"url", "callback_data"}) != 1:
            return "Bad Request: BUTTON_INVALID"
        if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
            return "Bad Request: BUTTON_DATA_INVALID"
    return ""
