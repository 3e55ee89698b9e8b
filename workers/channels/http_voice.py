"""Phone calls over any provider with an HTTP interface, by configuration.

Settings: url, method, format, headers, bearer, username, password, fields; accepted, busy, temporary, permanent, id,
error, opted_out (how its answer reads); callback_secret, signature, receipts, replies (how it calls back); language,
voice.
"""

from routing.delivery import Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Sent
from routing.response.phrases import phrases
from workers import http_provider
from workers.text import cut, one_line

TITLE = "Phone call (any HTTP provider)"
VOICE = True

MAX_SPEECH = 700
"""About a minute of listening; nobody takes in more at three in the morning."""


class Settings(http_provider.Provider):
    language: str = ""
    voice: str = ""
    """Of those whose contact names none."""


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError."""
    if notification.purpose not in {Purpose.PAGE, Purpose.TEST}:
        raise DeliveryError("updates never ring a phone", outcome=Outcome.PERMANENT)
    tongue = _tongue(notification, settings)
    return http_provider.send(notification, settings, speech(notification, settings), tongue, timeout_s)


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    tongue = _tongue(notification, settings)
    return http_provider.preview(notification, settings, speech(notification, settings), tongue)


def speech(notification: Notification, settings: Settings) -> str:
    """The message, then the keys where one can be listened for, all of it in one text."""
    said = phrases(_tongue(notification, settings).get("language", ""))
    message = notification.message
    told = cut(one_line(message.speech or f"{message.title}. {message.body}"), MAX_SPEECH)
    listens = settings.replies and http_provider.callback(notification, settings, "replies")
    ask = f"{said.decide} " if notification.run else ""
    tail = f"{ask}{said.keys}" if listens else said.elsewhere
    return f"{said.repeat} {told} {tail}" if notification.repeat else f"{told} {tail}"


def _tongue(notification: Notification, settings: Settings) -> dict[str, str]:
    person = notification.person
    language = (person.language if person else "") or settings.language
    voice = (person.voice if person else "") or (settings.voice if language == settings.language else "")
    return {"language": language, "voice": voice}
