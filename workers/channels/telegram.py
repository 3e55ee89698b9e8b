"""Telegram: messages of a bot with buttons, to people and groups.

Settings: token, buttons, chat_per_s, bot_per_s, base_url. An address is the id of a chat (a number, negative for
groups) or the @name of a channel. The first message to a chat shows the incident as it is; later ones answer it.
Source: core.telegram.org/bots/api (sendMessage, editMessageText, InlineKeyboardMarkup).
"""

import re
from contextlib import suppress
from typing import Any, Final

import orjson
from pydantic import Field

from routing.delivery import Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Pace, Sent
from workers import card, letter, quota, telegram
from workers.card import Card
from workers.deadline import Deadline
from workers.text import cut

TITLE = "Telegram"
VOICE = False
THREADS = True
ADDRESS = r"-?\d{1,20}|@[A-Za-z0-9_]{4,32}"

_MOST_TEXT: Final = 4_096
"""In UTF-16 code units, as Telegram counts."""
_MOST_DATA: Final = 64
_A_ROW: Final = 3


class Settings(telegram.Bot):
    buttons: bool = Field(default=True)
    """Off where the bot's webhook does not lead to us: there is a link then."""
    chat_per_s: float = Field(default=1, gt=0, le=30)
    """To one person; a group takes a third of it."""
    bot_per_s: float = Field(default=30, gt=0, le=1000)
    """To all chats together."""


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError."""
    if not re.fullmatch(ADDRESS, notification.to):
        fix = "write the id of a chat, which the bot answers to /id there"
        raise DeliveryError(
            f"not an address in Telegram: {notification.to!r}; {fix}", outcome=Outcome.PERMANENT
        )
    deadline = Deadline(timeout_s)
    made = telegram.post(settings, "sendMessage", _message(notification, settings), deadline)
    message = made.get("message_id")
    if not isinstance(message, int):
        raise DeliveryError("Telegram answered ok without a message_id", outcome=Outcome.UNKNOWN)
    if first := _first(notification):
        # What is new was said: it must not be said twice because the first message cannot be changed.
        with suppress(DeliveryError):
            _update(notification, settings, first, deadline)
    return Sent(provider_id=f"{_chat(made, notification)}:{message}", answer="200 ok")


def limits(notification: Notification, settings: Settings) -> tuple[Pace, ...]:
    """A group takes 20 messages a minute, a person one a second, the bot 30 to all of them."""
    bot = f"telegram:{quota.of(settings.token)}"
    is_person = notification.to[:1].isdigit()
    chat = settings.chat_per_s if is_person else settings.chat_per_s / 3
    return Pace(f"{bot}:{notification.to}", chat), Pace(bot, settings.bot_per_s)


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    given = _message(notification, settings)
    return {
        name: value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        for name, value in given.items()
    }


def _message(notification: Notification, settings: Settings) -> dict[str, Any]:
    first = _first(notification)
    shown = card.news(notification) if first else card.opening(notification)
    given = {"chat_id": notification.to, **_shown(shown, notification, settings)}
    if first:
        given["reply_parameters"] = {"message_id": first, "allow_sending_without_reply": True}
    return given


def _update(notification: Notification, settings: Settings, first: int, deadline: Deadline) -> None:
    """The first message shows how it is now, with the buttons that still mean something. Raises DeliveryError."""
    if notification.standing is None or notification.together:
        return
    shown = _shown(card.living(notification), notification, settings)
    shown.setdefault("reply_markup", {"inline_keyboard": []})
    telegram.post(
        settings, "editMessageText", {"chat_id": notification.to, "message_id": first, **shown}, deadline
    )


def _shown(shown: Card, notification: Notification, settings: Settings) -> dict[str, Any]:
    """No markup language: what an alert's author wrote is text. The heading is bold by its place."""
    text = _text(shown)
    length = _units(text.partition("\n")[0])
    given: dict[str, Any] = {
        "text": text,
        "entities": [{"type": "bold", "offset": 0, "length": length}],
        "link_preview_options": {"is_disabled": True},
    }
    if rows := _keyboard(shown, notification, settings):
        given["reply_markup"] = {"inline_keyboard": rows}
    return given


def _text(shown: Card) -> str:
    """What gives way is the middle: how it stands is always said."""
    head = "\n".join(part for part in (cut(shown.heading, 500), cut(shown.stands, 300)) if part)
    tail = f"\n\n{shown.remark}" if shown.remark else ""
    room = _MOST_TEXT - _units(head) - _units(tail) - 2
    body = shown.body
    while _units(body) > room:
        body = cut(body, min(len(body) - 1, room - (_units(body) - len(body))))
    return head + (f"\n\n{body}" if body else "") + tail


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _keyboard(shown: Card, notification: Notification, settings: Settings) -> list[list[dict[str, str]]]:
    if settings.buttons and notification.callback_url and shown.answers:
        data = [(card.LABELS[verb], f"{verb}:{notification.delivery}") for verb in shown.answers]
        buttons = [
            {"text": label, "callback_data": said} for label, said in data if len(said.encode()) <= _MOST_DATA
        ]
        return [buttons[at : at + _A_ROW] for at in range(0, len(buttons), _A_ROW)]
    if notification.ack_url and (shown.answers or notification.purpose is Purpose.TEST):
        return [[{"text": letter.does(notification), "url": notification.ack_url}]]
    return []


def _first(notification: Notification) -> int:
    """The message_id of the first message; 0 where there is none yet, or it was only in the sandbox."""
    _, _, message = notification.thread.partition(":")
    return int(message) if message.isascii() and message.isdigit() else 0


def _chat(made: dict[str, Any], notification: Notification) -> str:
    chat = made.get("chat")
    found = chat.get("id") if isinstance(chat, dict) else None
    return str(found) if isinstance(found, int) else notification.to
