"""What a key pressed during a call means as things stand, and what the caller is told of it, in their language."""

import re
from dataclasses import dataclass

from routing.delivery import Delivery
from routing.entry import Verb
from routing.incident import Incident, Phase
from routing.response import answers
from routing.response.phrases import phrases

MAX_SPEECH = 700
_UNSPOKEN = re.compile(r"[^\w\s.,:;!?'\"()/%+&#@<>=$-]+")


@dataclass(frozen=True, slots=True)
class Key:
    """`delivery` and `incident` as they were when it was pressed; None for what is not known any more."""

    digits: str
    language: str
    delivery: Delivery | None
    incident: Incident | None


def meant(key: Key) -> Verb | None:
    """One that answers a question counts only where that was asked."""
    found = answers.read(key.digits)
    if found is None or not key.digits.isdecimal():
        return None
    asked = key.delivery is not None and key.delivery.run
    return found.verb if asked or found.verb not in answers.DECISIONS else None


def said(key: Key) -> str:
    """What became of the key; "" when it means nothing, or none was pressed."""
    verb = meant(key)
    return (standing(key, verb) or phrases(key.language).done[verb]) if verb is not None else ""


def standing(key: Key, verb: Verb | None) -> str:
    """That somebody else has it, or that it is over, where the key changes nothing about that; "" otherwise."""
    incident, words = key.incident, phrases(key.language)
    if incident is None or verb in answers.DECISIONS:
        return ""
    if incident.phase is Phase.RESOLVED:
        return words.over
    mine = key.delivery is not None and key.delivery.contact in incident.acknowledged_by.split(", ")
    if incident.phase is Phase.ACKNOWLEDGED and verb in {None, Verb.ACK}:
        return words.done[Verb.ACK] if mine else words.taken.format(who=spoken(incident.acknowledged_by))
    return ""


def spoken(text: str) -> str:
    """What a payload wrote, as one line of what can be spoken."""
    return " ".join(_UNSPOKEN.sub(" ", text).split())[:MAX_SPEECH]
