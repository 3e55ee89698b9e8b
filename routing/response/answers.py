"""What people say back: keys pressed, SMS replies, links clicked, commands."""

import re
from dataclasses import dataclass

import msgspec

from routing.delivery import Delivery, Progress
from routing.draft import Draft
from routing.entry import Answer, Command, Verb
from routing.incident import Incident, Phase
from routing.response import acknowledging, closing, escalation
from routing.timer import Wake

KEYS = {"4": Verb.ACK, "6": Verb.RESOLVE, "5": Verb.ESCALATE}
WORDS = {
    "ack": Verb.ACK,
    "a": Verb.ACK,
    "resolve": Verb.RESOLVE,
    "r": Verb.RESOLVE,
    "escalate": Verb.ESCALATE,
    "e": Verb.ESCALATE,
}
_REPLY = re.compile(r"^\s*(?:(?P<before>\d+)\s*)?(?P<word>[a-z]+)(?:\s*#?(?:inc-)?(?P<after>\d+))?\W*$")


@dataclass(frozen=True, slots=True)
class Reply:
    """`number`: the incident meant, 0 when the reply names none."""

    verb: Verb
    number: int


def read(text: str) -> Reply | None:
    """Understand "4", "ack", "12a", "ack 12", "Resolve INC-12!"; None when it means nothing to us."""
    text = text.strip().lower()
    if text in KEYS:
        return Reply(KEYS[text], 0)
    found = _REPLY.match(text)
    if found is None or found["word"] not in WORDS:
        return None
    return Reply(WORDS[found["word"]], int(found["before"] or found["after"] or 0))


def answer(draft: Draft, entry: Answer) -> None:
    """A person answered. Whose answer it is follows from the delivery, or from the address it came from."""
    delivery = draft.delivery(entry.delivery) if entry.delivery else _latest_to(draft, entry.address)
    if delivery is None:
        return
    reply = read(entry.text)
    if reply is None:
        draft.note(delivery.incident, f"{delivery.contact} sent something we do not understand")
        return
    incident = draft.incident(f"INC-{reply.number}") if reply.number else draft.incident(delivery.incident)
    if incident is None:
        draft.note(delivery.incident, f"{delivery.contact} named an unknown incident, {reply.number}")
        return
    if delivery.progress is not Progress.FAILED:
        answered = msgspec.structs.replace(delivery, progress=Progress.ANSWERED, changed_at=draft.now)
        draft.put_delivery(answered)
        draft.withdraw(delivery.id)
        for wake in (Wake.UNCLAIMED, Wake.SILENT, Wake.RETRY):
            draft.unwake(wake, delivery.id)
    act(draft, incident, reply.verb, delivery.contact, entry.channel)


def _latest_to(draft: Draft, address: str) -> Delivery | None:
    """The latest page to this address whose incident is open: what an SMS "ack" most likely means."""
    return draft.delivery(draft.state.pages.latest(address))


def command(draft: Draft, entry: Command) -> None:
    incident = draft.incident(entry.incident)
    if incident is not None:
        act(draft, incident, entry.verb, entry.by or "operator", "the command line", entry.text)


def act(draft: Draft, incident: Incident, verb: Verb, by: str, via: str, text: str = "") -> None:
    """Carry out what a person wants of an incident. What no longer applies is only noted."""
    if verb is Verb.NOTE:
        draft.note(incident.id, f"note: {text}", by=by)
    elif verb is Verb.DONE:
        _done(draft, incident, by, text)
    elif incident.phase is Phase.RESOLVED:
        draft.note(incident.id, f"{by} asked to {verb} via {via}; it was already resolved", by=by)
    elif verb is Verb.ACK:
        acknowledging.acknowledge(draft, incident, by, via)
    elif verb is Verb.RESOLVE:
        closing.resolve(draft, incident, by, f"resolved by {by} via {via}")
    else:
        _escalate(draft, incident, by, via)


def _escalate(draft: Draft, incident: Incident, by: str, via: str) -> None:
    draft.note(incident.id, f"escalated by {by} via {via}", by=by)
    draft.unwake(Wake.ACK_EXPIRES, incident.id)
    draft.unwake(Wake.HOLD, incident.id)
    incident = msgspec.structs.replace(incident, phase=Phase.TRIGGERED, held_until=0, changed_at=draft.now)
    escalation.advance(draft, incident, f"{by} asked to escalate")


def _done(draft: Draft, incident: Incident, by: str, which: str) -> None:
    followups = []
    for followup in incident.followups:
        if not followup.done_at and which in {"", followup.id}:
            draft.unwake(Wake.FOLLOW_UP, followup.id)
            draft.note(incident.id, f"follow-up done: {followup.text}", by=by)
            followup = msgspec.structs.replace(followup, done_at=draft.now)  # noqa: PLW2901
        followups.append(followup)
    draft.put_incident(msgspec.structs.replace(incident, followups=followups))
