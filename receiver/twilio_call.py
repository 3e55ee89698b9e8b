"""What a caller hears after a key, or after none: TwiML, in the language the call is spoken in.

What that is, and how often it was said, stands in the address Twilio calls back, and is signed with it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from routing.delivery import Delivery, Progress
from routing.entry import Verb
from routing.incident import Incident, Phase
from routing.response import answers
from routing.response.phrases import phrases

ROUNDS = 3
"""So often the message is said before the call ends; the first round says it twice."""
MAX_SPEECH = 700
_UNSPOKEN = re.compile(r"[^\w\s.,:;!?'\"()/%+&#@<>=$-]+")


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
    said = phrases(heard.query.get("language", ""))
    verb = _verb(heard)
    if verb is not None:
        return _last(heard, _standing(heard, verb) or said.done[verb])
    unknown = f"{said.unknown} " if heard.digits else ""
    if over := _standing(heard, None):
        return _last(heard, unknown + over)
    if heard.delivery is not None and heard.delivery.progress is Progress.FAILED:
        return _document()  # to a machine, or to nobody: somebody else is asked already
    turn = _turn(heard.query)
    if turn >= ROUNDS:
        return _last(heard, unknown + said.silent)
    return _again(heard, turn + 1, unknown)


def _verb(heard: Heard) -> Verb | None:
    """What the key means; one that answers a question only where that was asked."""
    meant = answers.read(heard.digits)
    if meant is None or not heard.digits.isdecimal():
        return None
    asked = heard.delivery is not None and heard.delivery.run
    return meant.verb if asked or meant.verb not in answers.DECISIONS else None


def _standing(heard: Heard, verb: Verb | None) -> str:
    """That somebody else has it, or that it is over, where the key changes nothing about that; "" otherwise."""
    incident, said = heard.incident, phrases(heard.query.get("language", ""))
    if incident is None or verb in answers.DECISIONS:
        return ""
    if incident.phase is Phase.RESOLVED:
        return said.over
    mine = heard.delivery is not None and heard.delivery.contact in incident.acknowledged_by.split(", ")
    if incident.phase is Phase.ACKNOWLEDGED and verb in {None, Verb.ACK}:
        return said.done[Verb.ACK] if mine else said.taken.format(who=_spoken(incident.acknowledged_by))
    return ""


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
        _say(gather, _spoken(message.speech or f"{message.title}. {message.body}"), tongue)
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


def _spoken(text: str) -> str:
    """What a payload wrote, as one line of what can be spoken."""
    return " ".join(_UNSPOKEN.sub(" ", text).split())[:MAX_SPEECH]


def _turn(query: Mapping[str, str]) -> int:
    found = query.get("round", "")
    return int(found) if found.isdecimal() and len(found) < 3 else ROUNDS  # noqa: PLR2004  # never for ever
