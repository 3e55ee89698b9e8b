"""Text messages over any provider with an HTTP interface, by configuration.

Settings: url, method, format, headers, bearer, username, password, fields; accepted, busy, temporary, permanent, id,
error, opted_out (how its answer reads); callback_secret, signature, receipts, replies (how it calls back); max_chars.
"""

from pydantic import Field

from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Sent
from workers import http_provider, sms
from workers.deadline import Deadline

TITLE = "Text message (any HTTP provider)"
VOICE = False


class Settings(http_provider.Provider):
    max_chars: int = Field(default=640, ge=160, le=1600)
    """Each 153 of them are charged as one message, and each 67 where one is not of the GSM alphabet."""


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Every part within the same time; their ids are kept together. Raises DeliveryError."""
    texts, sent = sms.parts(notification, settings.max_chars), list[Sent]()
    deadline = Deadline(timeout_s)
    for text in texts:
        try:
            sent.append(http_provider.send(notification, settings, text, {}, deadline.left()))
        except TimeoutError as late:
            error = DeliveryError(str(late), outcome=Outcome.UNKNOWN)
            raise sms.partly(error, len(sent), len(texts)) from late
        except DeliveryError as error:
            raise sms.partly(error, len(sent), len(texts)) from error
    names = dict.fromkeys(each.provider_id for each in sent)
    return Sent(" ".join(names), sent[-1].answer)


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    texts = sms.parts(notification, settings.max_chars)
    return http_provider.preview(notification, settings, "\n\n".join(texts), {})
