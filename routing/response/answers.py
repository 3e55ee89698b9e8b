"""What people say back: keys pressed, SMS replies, links clicked."""

import re
from typing import NamedTuple

from routing.automation import repairs
from routing.delivery import Delivery, Purpose
from routing.draft import Draft
from routing.entry import Answer, Verb
from routing.incident import Incident
from routing.response import commands, deliveries, helping, optouts, proofs, sending, speakers, trials

KEYS = {"4": Verb.ACK, "6": Verb.RESOLVE, "5": Verb.ESCALATE, "1": Verb.APPROVE, "2": Verb.DENY}
WORDS = {
    "ack": Verb.ACK,
    "a": Verb.ACK,
    "resolve": Verb.RESOLVE,
    "r": Verb.RESOLVE,
    "escalate": Verb.ESCALATE,
    "e": Verb.ESCALATE,
    "approve": Verb.APPROVE,
    "deny": Verb.DENY,
}
DECISIONS = {Verb.APPROVE: repairs.approved, Verb.DENY: repairs.denied}
"""What a run that asks for approval is answered with."""
_REPLY = re.compile(r"^\s*(?:(?P<before>\d+)\s*)?(?P<word>[a-z]+)(?:\s*#?(?:inc-)?(?P<after>\d+))?\W*$")


class Reply(NamedTuple):
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
    """A person answered. Whose answer it is follows from the delivery, or from the address it came from.

    Who wrote what leads to nothing is told what could be written.
    """
    if trials.returned(draft, entry) or _is_about_writing(draft, entry):
        return
    reply = read(entry.text)
    delivery = draft.delivery(entry.delivery) if entry.delivery else _latest_to(draft, entry.address, reply)
    if delivery is None:
        helping.explain(draft, entry.address, "Nothing is open that you were paged for.")
        return
    if reply is None or _is_unasked(entry, delivery):
        draft.note(delivery.incident, f"{delivery.contact} sent something we do not understand")
        helping.explain(draft, entry.address, f"Not understood. Open: {delivery.message.title}")
        return
    incident = draft.incident(f"INC-{reply.number}") if reply.number else draft.incident(delivery.incident)
    if incident is None:
        draft.note(delivery.incident, f"{delivery.contact} named an unknown incident, {reply.number}")
        helping.explain(
            draft, entry.address, f"INC-{reply.number} is unknown. Open: {delivery.message.title}"
        )
        return
    proofs.answered(draft, delivery)
    sending.answered(draft, delivery)
    run = delivery.run if delivery.incident == incident.id else ""
    by = _speaker(draft, incident, run, reply.verb, entry, delivery.contact)
    if reply.verb in DECISIONS:
        DECISIONS[reply.verb](draft, incident, run, by, entry.channel)
        return
    for name in dict.fromkeys((incident.id, *(each for each in delivery.listed if not reply.number))):
        if found := draft.incident(name):
            commands.act(draft, found, reply.verb, by, entry.channel)


def _speaker(draft: Draft, incident: Incident, run: str, verb: Verb, entry: Answer, contact: str) -> str:
    by = speakers.name_of(draft.policy, entry.who) if entry.who else contact
    return by if by == contact else speakers.for_room(draft, incident, run, verb, by, contact)


def _is_about_writing(draft: Draft, entry: Answer) -> bool:
    """Whether it asks for help, or says that nothing more is to be written there, or that it may be."""
    word = entry.text.strip().strip(".!").lower()
    if not entry.address or entry.delivery:
        return False
    if word in helping.HELP:
        page = draft.delivery(draft.state.pages.latest(entry.address))
        found = f"Open: {page.message.title}" if page else "Nothing is open that you were paged for."
        helping.explain(draft, entry.address, found, asked=True)
        return True
    if word in optouts.STOP and optouts.carriers(draft.policy, entry.address):
        _stop(draft, entry.address)
        return True
    return word in optouts.START and bool(optouts.wrote_start(draft, entry.address))


def _stop(draft: Draft, address: str) -> None:
    """A page that waits for an answer from there has reached nobody, and whoever it was for is reached otherwise."""
    for method in optouts.wrote_stop(draft, address):
        page = optouts.open_page(draft, method)
        if page is not None:
            deliveries.give_up(draft, page, "they wrote STOP")


def _is_unasked(entry: Answer, delivery: Delivery) -> bool:
    """Whether a key answers a question that this message did not ask: a word may, a slip of the finger may not."""
    key = KEYS.get(entry.text.strip())
    return key in DECISIONS and not delivery.run


def _latest_to(draft: Draft, address: str, reply: Reply | None) -> Delivery | None:
    """The latest page to this address whose incident is open: what an SMS "ack" most likely means.

    "approve" means the latest question; where there was none to this address, what a page tells of.
    """
    pages = draft.state.pages
    asks = reply is not None and reply.verb in DECISIONS
    question = pages.latest(address, Purpose.APPROVAL) if asks else ""
    return draft.delivery(question or pages.latest(address))
