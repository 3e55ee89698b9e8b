"""Phone calls over Twilio. The person hears what broke and answers with a key.

Settings: account_sid, api_key, api_secret (of an API key), from_number; ring_s, language, voice,
machine_detection, calls_per_s, base_url. Source: twilio.com/docs/voice/api/call-resource, /docs/voice/twiml/gather,
/docs/voice/twiml/say, /docs/voice/answering-machine-detection.
"""

from dataclasses import dataclass
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from pydantic import Field

from routing.delivery import Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.incident import Phase
from routing.ports import Notification, Pace, Sent
from routing.response.phrases import Phrases, phrases
from workers import twilio
from workers.text import cut, one_line

TITLE = "Phone call (Twilio)"
VOICE = True
ADDRESS = twilio.NUMBER
RECALLS = True

RINGS = frozenset({Purpose.PAGE, Purpose.TEST})
MAX_TWIML = 4000
MAX_SPEECH = 700
"""About a minute of listening; nobody takes in more at three in the morning."""


class Settings(twilio.Account):
    from_number: str = Field(pattern=r"^\+[1-9]\d{6,14}$")
    ring_s: int = Field(default=30, ge=5, le=600)
    """How long it rings. Voicemail usually answers after 20 to 30 s."""
    language: str = ""
    voice: str = ""
    """Of those whose contact names none."""
    machine_detection: bool = True
    """Twilio tells machines from people while it speaks, and charges for it: a machine reaches nobody."""
    calls_per_s: float = Field(default=1, gt=0, le=1000)
    """Of the account, whichever channels use it. Twilio raises it on request."""


@dataclass(frozen=True, slots=True)
class _Tongue:
    """`own`: what the message is spoken in, the person's or the channel's; `ours`: the same for our own phrases."""

    own: dict[str, str]
    phrases: Phrases
    ours: dict[str, str]


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError."""
    if notification.purpose is Purpose.RECALL:
        return twilio.end(settings, notification.recalls, _taken(notification, settings), timeout_s)
    if notification.purpose not in RINGS:
        raise DeliveryError("updates never ring a phone", outcome=Outcome.PERMANENT)
    return twilio.create(settings, "Calls", _form(notification, settings), timeout_s)


def limits(notification: Notification, settings: Settings) -> tuple[Pace, ...]:
    if notification.purpose is Purpose.RECALL:
        return ()  # ends a call, and makes none
    return (Pace(f"twilio:{settings.account_sid}:calls", settings.calls_per_s),)


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    if notification.purpose is Purpose.RECALL:
        return {"Call": notification.recalls, "Twiml": _taken(notification, settings)}
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
    if status and settings.machine_detection:
        form["MachineDetection"] = "Enable"
        # Beside the call: whoever picks up hears the message at once, not after seconds of silence.
        form["AsyncAmd"] = "true"
        form["AsyncAmdStatusCallback"] = twilio.callback(notification, "machine")
        form["AsyncAmdStatusCallbackMethod"] = "POST"
    return form


def twiml(notification: Notification, settings: Settings) -> str:
    """What Twilio says and listens for, at most 4000 characters. Text of payloads can only ever be spoken."""
    message, tongue = notification.message, _tongue(notification, settings)
    speech = one_line(message.speech or f"{message.title}. {message.body}")
    limit = MAX_SPEECH
    while True:
        document = _document(notification, tongue, cut(speech, limit))
        if len(document) <= MAX_TWIML or not limit:
            return document
        limit = max(0, limit - 100)


def _document(notification: Notification, tongue: _Tongue, speech: str) -> str:
    """Nothing comes after the keys: without one Twilio asks the callback, which says it all again."""
    response, said = ET.Element("Response"), tongue.phrases
    action = twilio.callback(notification, "gather")
    if notification.repeat:
        _say(response, said.repeat, tongue.ours)
    if not action:
        _say(response, speech, tongue.own, loop=3)
        _say(response, said.elsewhere, tongue.ours)
        return ET.tostring(response, encoding="unicode")
    tries = notification.purpose is Purpose.TEST
    listening = {
        "numDigits": "6" if tries else "1",  # the code it says
        "timeout": "8",
        "action": f"{action}?{urlencode({**tongue.own, 'round': '1'})}",
        "method": "POST",
        "actionOnEmptyResult": "true",
    }
    gather = ET.SubElement(response, "Gather", listening)
    for _ in range(2):
        _say(gather, speech, tongue.own)
        if not tries:
            _say(gather, f"{said.decide} {said.keys}" if notification.run else said.keys, tongue.ours)
    return ET.tostring(response, encoding="unicode")


def _taken(notification: Notification, settings: Settings) -> str:
    """What whoever has picked up by now hears instead."""
    tongue, standing = _tongue(notification, settings), notification.standing
    who = standing.acknowledged_by if standing and standing.phase is Phase.ACKNOWLEDGED else ""
    response = ET.Element("Response")
    said = tongue.phrases.taken.format(who=one_line(who)) if who else tongue.phrases.over
    _say(response, said, tongue.ours)
    ET.SubElement(response, "Hangup")
    return ET.tostring(response, encoding="unicode")


def _say(parent: ET.Element, text: str, tongue: dict[str, str], loop: int = 1) -> None:
    say = ET.SubElement(parent, "Say", ({"loop": str(loop)} if loop > 1 else {}) | tongue)
    say.text = text


def _tongue(notification: Notification, settings: Settings) -> _Tongue:
    person = notification.person
    language = (person.language if person else "") or settings.language
    voice = (person.voice if person else "") or (settings.voice if language == settings.language else "")
    said = phrases(language)
    named = said.locale if language and "-" not in language and said.locale.startswith(language) else language
    own = {name: value for name, value in (("language", named), ("voice", voice)) if value}
    speaks_it = not language or said.locale.partition("-")[0] == language.partition("-")[0]
    return _Tongue(own, said, own if speaks_it else {"language": said.locale})
