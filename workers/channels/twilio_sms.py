"""Text messages over Twilio. The person answers by writing back.

Settings: account_sid, api_key, api_secret (of an API key), from_number or messaging_service_sid; max_chars,
base_url. Source: twilio.com/docs/messaging/api/message-resource.
"""

from typing import Self

from pydantic import Field, model_validator

from routing.delivery import Purpose
from routing.ports import Notification, Sent
from workers import twilio
from workers.text import cut, whole

TITLE = "Text message (Twilio)"
VOICE = False

REPLIES = {
    Purpose.PAGE: "Reply ack, resolve or escalate.",
    Purpose.APPROVAL: "Reply approve or deny.",
}


class Settings(twilio.Account):
    messaging_service_sid: str = Field(default="", pattern=r"^(MG[0-9a-fA-F]{32})?$")
    max_chars: int = Field(default=640, ge=160, le=1600)
    """Twilio takes 1600; each 67 to 153 of them are charged as one message."""

    @model_validator(mode="after")
    def _has_sender(self) -> Self:
        if not self.from_number and not self.messaging_service_sid:
            raise ValueError("from_number or messaging_service_sid is needed")
        return self


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError."""
    return twilio.create(settings, "Messages", _form(notification, settings), timeout_s)


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    return {name: str(value) for name, value in _form(notification, settings).items()}


def _form(notification: Notification, settings: Settings) -> twilio.Form:
    form: twilio.Form = {"To": notification.to, "Body": body(notification, settings.max_chars)}
    if settings.messaging_service_sid:
        form["MessagingServiceSid"] = settings.messaging_service_sid
    else:
        form["From"] = settings.from_number
    status = twilio.callback(notification, "status")
    if status:
        form["StatusCallback"] = status
    return form


def body(notification: Notification, limit: int) -> str:
    """The message, how to answer, and the link: what must give way is the middle, never the way to answer."""
    head = "(May be a repeat.) " if notification.repeat else ""
    tail = ""
    if reply := REPLIES.get(notification.purpose, ""):
        tail = "\n" + "\n".join(part for part in (reply, notification.ack_url) if part)
    return head + cut(whole(notification.message), limit - len(head) - len(tail)) + tail
