"""Text messages over Twilio. The person answers by writing back.

Settings: account_sid, api_key, api_secret (of an API key), from_number or messaging_service_sid; max_chars,
base_url. Source: twilio.com/docs/messaging/api/message-resource.
"""

from typing import Self

from pydantic import Field, model_validator

from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Sent
from workers import sms, twilio
from workers.deadline import Deadline

TITLE = "Text message (Twilio)"
VOICE = False
ADDRESS = twilio.NUMBER


class Settings(twilio.Account):
    messaging_service_sid: str = Field(default="", pattern=r"^(MG[0-9a-fA-F]{32})?$")
    max_chars: int = Field(default=640, ge=160, le=1600)
    """Each 153 of them are charged as one message, and each 67 where one is not of the GSM alphabet."""

    @model_validator(mode="after")
    def _has_sender(self) -> Self:
        if not self.from_number and not self.messaging_service_sid:
            raise ValueError("from_number or messaging_service_sid is needed")
        return self


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Every part within the same time; their ids are kept together. Raises DeliveryError."""
    texts, sent = sms.parts(notification, settings.max_chars), list[Sent]()
    deadline = Deadline(timeout_s)
    for text in texts:
        try:
            sent.append(
                twilio.create(settings, "Messages", _form(notification, settings, text), deadline.left())
            )
        except TimeoutError as late:
            raise sms.partly(
                DeliveryError(str(late), outcome=Outcome.UNKNOWN), len(sent), len(texts)
            ) from late
        except DeliveryError as error:
            raise sms.partly(error, len(sent), len(texts)) from error
    return Sent(" ".join(each.provider_id for each in sent), sent[-1].answer)


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    texts = sms.parts(notification, settings.max_chars)
    return {name: str(value) for name, value in _form(notification, settings, "\n\n".join(texts)).items()}


def _form(notification: Notification, settings: Settings, text: str) -> twilio.Form:
    form: twilio.Form = {"To": notification.to, "Body": text}
    if settings.messaging_service_sid:
        form["MessagingServiceSid"] = settings.messaging_service_sid
    else:
        form["From"] = settings.from_number
    status = twilio.callback(notification, "status")
    if status:
        form["StatusCallback"] = status
    return form
