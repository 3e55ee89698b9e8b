"""Phone calls over Twilio. The person hears what broke and answers with a key.

Settings: account_sid, api_key, api_secret (of an API key), from_number; ring_s, language, voice, base_url.
Source: twilio.com/docs/voice/api/call-resource, /docs/voice/twiml/gather, /docs/voice/twiml/say.
"""

from xml.etree import ElementTree as ET

from pydantic import Field

from routing.delivery import Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Sent
from workers import twilio
from workers.text import cut, one_line

TITLE = "Phone call (Twilio)"
VOICE = True

MAX_TWIML = 4000
MAX_SPEECH = 700
"""About a minute of listening; nobody takes in more at three in the morning."""
KEYS = "Press 4 to acknowledge, 6 to resolve, 5 to escalate."


class Settings(twilio.Account):
    from_number: str = Field(pattern=r"^\+[1-9]\d{6,14}$")
    ring_s: int = Field(default=30, ge=5, le=600)
    """How long it rings. Voicemail usually answers after 20 to 30 s."""
    language: str = ""
    voice: str = ""


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError."""
    if notification.purpose is not Purpose.PAGE:
        raise DeliveryError("updates never ring a phone", outcome=Outcome.PERMANENT)
    return twilio.create(settings, "Calls", _form(notification, settings), timeout_s)


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    form = _form(notification, settings)
    return {name: value if isinstance(value, str) else " ".join(value) for name, value in form.items()}


def _form(notification: Notification, settings: Settings) -> twilio.Form:
    form: twilio.Form = {
        "To": notification.to,
        "From": settings.from_number,
        "Twiml": twiml(notification, settings),
        "Timeout": str(settings.ring_s),
    }
    status = twilio.callback(notification, "status")
    if status:
        form["StatusCallback"] = status
        form["StatusCallbackEvent"] = ["answered", "completed"]
        form["StatusCallbackMethod"] = "POST"
    return form


def twiml(notification: Notification, settings: Settings) -> str:
    """What Twilio says and listens for, at most 4000 characters. Text of payloads can only ever be spoken."""
    message = notification.message
    speech = one_line(message.speech or f"{message.title}. {message.body}")
    if notification.repeat:
        speech = f"This may be a repeat of an earlier call. {speech}"
    limit = MAX_SPEECH
    while True:
        document = _document(notification, settings, cut(speech, limit))
        if len(document) <= MAX_TWIML or not limit:
            return document
        limit = max(0, limit - 100)


def _document(notification: Notification, settings: Settings, speech: str) -> str:
    response = ET.Element("Response")
    action = twilio.callback(notification, "gather")
    if action:
        listening = {"numDigits": "1", "timeout": "8", "action": action, "method": "POST"}
        gather = ET.SubElement(response, "Gather", listening)
        _say(gather, settings, f"{speech} {KEYS}", loop=3)
        _say(response, settings, "No key was pressed. The incident stays open. Goodbye.")
    else:
        _say(response, settings, f"{speech} Acknowledge it in Tocsin.", loop=3)
    return ET.tostring(response, encoding="unicode")


def _say(parent: ET.Element, settings: Settings, text: str, loop: int = 1) -> None:
    chosen = {"loop": str(loop) if loop > 1 else "", "language": settings.language, "voice": settings.voice}
    say = ET.SubElement(parent, "Say", {name: value for name, value in chosen.items() if value})
    say.text = text
