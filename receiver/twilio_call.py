"""What a caller hears after a key, or after none: TwiML, in the language the call is spoken in.

What that is, and how often it was said, stands in the address Twilio calls back, and is signed with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from receiver import phone_keys
from receiver.phone_keys import Key
from routing.delivery import Delivery, Progress
from routing.incident import Incident
from routing.response.phrases import phrases

ROUNDS = 3
"""So often the message is said before the call ends; the first round says it twice."""


@dataclass(frozen=True, slots=True)
class Heard:
    """`delivery` and `incident` as they were when the key was pressed; None for what is not known any more."""

    digits: str
    query: Mapping[str, str]
    callback: str
    """Where the next key goes, without its query."""
    delivery: Delivery | None
    incident: Incident | None


def reply(heard: Heard) -> str:
    """A document that says what became of the key, or says the message again and listens."""
    if len(heard.digits) > 1:
        return _document()  # the code of a test: whether it is right is for whoever asked for it
    key = Key(heard.digits, heard.query.get("language", ""), heard.delivery, heard.incident)
    if said := phone_keys.said(key):
        return _last(heard, said)
    words = phrases(key.language)
    unknown = f"{words.unknown} " if heard.digits else ""
    if over := phone_keys.standing(key, None):
        return _last(heard, unknown + over)
    if heard.delivery is not None and heard.delivery.progress is Progress.FAILED:
        return _document()  # to a machine, or to nobody: somebody else is asked already
    turn = _turn(heard.query)
    if turn >= ROUNDS:
        return _last(heard, unknown + words.silent)
    return _again(heard, turn + 1, unknown)


def _again(heard: Heard, turn: int, before: str) -> str:
    said, tongue = phrases(heard.query.get("language", "")), _tongue(heard.query)
    response = ET.Element("Response")
    query = urlencode({**tongue, "round": str(turn)})
    listening = {
        "numDigits": "1",
        "timeout": "8",
        "action": f"{heard.callback}?{query}",
        "method": "POST",
        "actionOnEmptyResult": "true",
    }
    gather = ET.SubElement(response, "Gather", listening)
    if before:
        _say(gather, before.strip(), _ours(heard.query))
    if heard.delivery is not None:
        message = heard.delivery.message
        _say(gather, phone_keys.spoken(message.speech or f"{message.title}. {message.body}"), tongue)
    asks = heard.delivery is not None and heard.delivery.run
    _say(gather, f"{said.decide} {said.keys}" if asks else said.keys, _ours(heard.query))
    return ET.tostring(response, encoding="unicode")


def _last(heard: Heard, text: str) -> str:
    return _document(text, _ours(heard.query))


def _document(text: str = "", tongue: Mapping[str, str] | None = None) -> str:
    response = ET.Element("Response")
    if text:
        _say(response, text, tongue or {})
    ET.SubElement(response, "Hangup")
    return ET.tostring(response, encoding="unicode")


def _say(parent: ET.Element, text: str, tongue: Mapping[str, str]) -> None:
    ET.SubElement(parent, "Say", dict(tongue)).text = text


def _tongue(query: Mapping[str, str]) -> dict[str, str]:
    return {name: query[name] for name in ("language", "voice") if query.get(name)}


def _ours(query: Mapping[str, str]) -> dict[str, str]:
    """What our own phrases are spoken in: the call's language, or the one we have them in."""
    language, locale = query.get("language", ""), phrases(query.get("language", "")).locale
    mine = not language or language.partition("-")[0] == locale.partition("-")[0]
    return _tongue(query) if mine else {"language": locale}


def _turn(query: Mapping[str, str]) -> int:
    found = query.get("round", "")
    return int(found) if found.isdecimal() and len(found) < 3 else ROUNDS  # noqa: PLR2004  # never for ever
