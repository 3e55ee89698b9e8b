"""Sending: each message to a contact is a delivery that is followed through, at once or when its turn comes."""

from typing import NamedTuple

import msgspec

from routing.delivery import Delivery, Held, Message, Progress, Purpose
from routing.draft import Draft
from routing.effect import Deliver
from routing.incident import Incident
from routing.instant import MINUTE, iso
from routing.policy import Contact, Method
from routing.response import questions, rations, threads
from routing.severity import Severity
from routing.timer import Wake

# Named once, as in `routing.draft`: asked for again and again.
_PENDING, _ANSWERED = Progress.PENDING, Progress.ANSWERED
_PAGE = Purpose.PAGE
_UNCLAIMED, _NEXT_METHOD = Wake.UNCLAIMED, Wake.NEXT_METHOD

UNCLAIMED_MS = 5_000
"""An effect nobody claimed this long after its commit is dispatched again."""
MAX_UNCLAIMED_MS = 15 * MINUTE
"""Never given up, for it is owed; but workers that are gone for a day find few jobs, not thousands."""

_AT_ONCE = frozenset({Purpose.PAGE, Purpose.RECALL})
"""A phone that rings for nothing is no less urgent than one that must ring."""

AWAITED = (Wake.UNCLAIMED, Wake.RETRY, Wake.NEXT_METHOD, Wake.BUNDLE, Wake.THREAD)
"""What a delivery that nobody has claimed may wait for."""
_AWAITED_OF_ANY = (*AWAITED, Wake.SILENT)


class Hour(NamedTuple):
    """Until when (ms) it is collected, and what it is collected as."""

    held: Held
    at: int


def send(
    draft: Draft,
    incident: Incident,
    contact: Contact,
    method: Method,
    purpose: Purpose,
    message: Message,
    why: str,
    *,
    hour: Hour | None = None,
) -> Incident:
    """Create one delivery, and have it dispatched: now, after the method's delay, or at an hour with all that is
    collected until then. Machines have no hours.
    """
    delivery = _new(draft, incident, contact, method, purpose, message, why)
    channel = draft.policy.channels.get(method.channel)
    if hour is not None and not (channel and channel.machine):
        told = f"with the {hour.held}" if hour.held is Held.DIGEST else f"in the {hour.held}"
        rations.hold(draft, delivery, hour.held, hour.at, f"tell {contact.title} {told}")
        draft.note(incident.id, f"{contact.title} is told {told} at {iso(hour.at)}")
    elif method.after_ms:
        _later(draft, delivery, draft.now + method.after_ms)
    else:
        release(draft, delivery)
    return draft.incident(incident.id) or incident


def ask(
    draft: Draft, incident: Incident, contact: Contact, method: Method, message: Message, why: str, run: str
) -> Incident:
    """Ask whether a run may go on. It waits for no other message: the time to answer runs already."""
    delivery = _new(draft, incident, contact, method, Purpose.APPROVAL, message, why)
    leave(draft, msgspec.structs.replace(delivery, run=run))
    return draft.incident(incident.id) or incident


def publish(
    draft: Draft, incident: Incident, place: Contact, method: Method, message: Message, why: str
) -> Incident:
    """Say it on a status page. It is bundled with nothing: other messages are not for everybody."""
    leave(draft, _new(draft, incident, place, method, Purpose.PUBLIC, message, why))
    return draft.incident(incident.id) or incident


def _new(
    draft: Draft,
    incident: Incident,
    contact: Contact,
    method: Method,
    purpose: Purpose,
    message: Message,
    why: str,
) -> Delivery:
    number = incident.deliveries + 1
    escalation = incident.escalation
    draft.put_incident(msgspec.structs.replace(incident, deliveries=number))
    return Delivery(
        id=f"{incident.id}-d{number}",
        incident=incident.id,
        contact=contact.name,
        channel=method.channel,
        address=method.address,
        purpose=purpose,
        severity=incident.severity,
        message=message,
        progress=_PENDING,
        created_at=draft.now,
        changed_at=draft.now,
        stage=escalation.stage if escalation else -1,
        round=escalation.round if escalation else 0,
        start=escalation.starts if escalation else 0,
        why=why,
    )


def _later(draft: Draft, delivery: Delivery, at: int) -> None:
    draft.put_delivery(msgspec.structs.replace(delivery, held=Held.LATER.value))
    what = f"page {delivery.contact} by {delivery.channel} if nobody acknowledges"
    draft.wake(_NEXT_METHOD, delivery.id, at, incident=delivery.incident, what=what)


def release(draft: Draft, delivery: Delivery) -> None:
    """Its turn has come: it leaves, unless the contact was told so often that it goes out with others."""
    if delivery.held:
        draft.unwake(_NEXT_METHOD, delivery.id)
    opens = rations.turn(draft, delivery)
    if opens > draft.now:
        what = f"tell {delivery.contact} by {delivery.channel}, together with all that came by then"
        rations.hold(draft, delivery, Held.LIMIT, opens, what)
        often = f"{delivery.contact} was told so often by {delivery.channel} that"
        draft.note(delivery.incident, f"{often} this goes out with other news at {iso(opens)}")
        return
    leave(draft, delivery)


def leave(draft: Draft, delivery: Delivery) -> None:
    """It goes out now, and from now on its contact is owed the end of the story."""
    run = delivery.run or (questions.waiting(draft, delivery) if delivery.purpose is _PAGE else "")
    if run or delivery.held or delivery.changed_at != draft.now:
        delivery = msgspec.structs.replace(delivery, held="", run=run, changed_at=draft.now)
    draft.put_delivery(delivery)
    if delivery.purpose is _PAGE:
        owe(draft, delivery)
    dispatch(draft, delivery)


def owe(draft: Draft, delivery: Delivery) -> None:
    """Who was paged is told of the ack and of the resolve."""
    incident = draft.incident(delivery.incident)
    if incident is None or delivery.purpose is not _PAGE or delivery.contact in incident.paged:
        return
    draft.put_incident(msgspec.structs.replace(incident, paged=[*incident.paged, delivery.contact]))


def dispatch(draft: Draft, delivery: Delivery, tries: int = 0) -> None:
    """Put the delivery's current attempt into the outbox; again ever more rarely while nobody claims it."""
    continues = ""
    if threads.has(draft, delivery):
        if not threads.may_leave(draft, delivery):
            threads.wait(draft, delivery)
            return
        continues = threads.name_of(draft, delivery)
    asks = questions.still(draft, delivery) if delivery.run else None
    draft.emit(
        Deliver(
            id=delivery.id,
            attempt=delivery.attempt,
            incident=delivery.incident,
            repeat=delivery.repeat,
            contact=delivery.contact,
            channel=delivery.channel,
            address=delivery.address,
            purpose=delivery.purpose,
            severity=delivery.severity,
            message=questions.asked(draft, delivery.message, asks) if asks else delivery.message,
            run=asks.id if asks else "",
            urgent=delivery.purpose in _AT_ONCE and delivery.severity <= Severity.SEV1,
            together=bool(delivery.listed),
            thread=continues,
            recalls=delivery.recalls,
            waited=bool(delivery.deferred_at),
        )
    )
    at = draft.now + unclaimed_ms(tries)
    what = f"dispatch {delivery.id} again if no worker took it"
    draft.wake(_UNCLAIMED, delivery.id, at, incident=delivery.incident, what=what, tries=tries)


def follow(draft: Draft, delivery: Delivery) -> None:
    """Its fate is known: what waited for the thread leaves, or the first of it opens the thread."""
    for each in threads.waiting(draft, delivery):
        join(draft, each)


def join(draft: Draft, delivery: Delivery) -> None:
    """What waits for its thread leaves, if it may by now."""
    if delivery.progress is _PENDING and delivery.held == Held.THREAD:
        draft.unwake(Wake.THREAD, delivery.id)
        delivery = msgspec.structs.replace(delivery, held="", changed_at=draft.now)
        draft.put_delivery(delivery)
        dispatch(draft, delivery)


def unclaimed_ms(tries: int) -> int:
    """How long an effect dispatched so often may lie unclaimed: twice as long each time, up to a bound."""
    return min(UNCLAIMED_MS << min(tries, 10), MAX_UNCLAIMED_MS) if tries else UNCLAIMED_MS


def cancel_pages(draft: Draft, incident: Incident, why: str, *, contact: str = "") -> None:
    """Pages no worker has claimed yet are not sent any more; only those to `contact` if one is named."""
    for delivery in _unsent(draft, incident):
        # A message for several incidents is still owed to the others.
        if contact in {"", delivery.contact} and not delivery.listed:
            cancel(draft, delivery, why)


def cancel_later(draft: Draft, incident: Incident, why: str) -> None:
    """Methods that were to have their turn later have none: their contact is paged anew, or nobody is."""
    for delivery in _unsent(draft, incident):
        if delivery.held == Held.LATER:
            cancel(draft, delivery, why)


def _unsent(draft: Draft, incident: Incident) -> list[Delivery]:
    return [each for each in draft.unclaimed(incident.id) if each.purpose is _PAGE]


def answered(draft: Draft, delivery: Delivery) -> None:
    """A person has answered it: it has arrived, and nothing more is awaited of it."""
    if delivery.progress is not Progress.FAILED:
        arrived = msgspec.structs.replace(delivery, progress=_ANSWERED, changed_at=draft.now)
        draft.put_delivery(arrived)
        settle(draft, arrived)


def settle(draft: Draft, delivery: Delivery) -> None:
    """Nothing is awaited of this attempt any more."""
    draft.withdraw(delivery.id)
    draft.unwake_all(_AWAITED_OF_ANY, delivery.id)


def cancel(draft: Draft, delivery: Delivery, why: str) -> None:
    """It is not sent any more, and nothing is awaited of it."""
    draft.put_delivery(
        msgspec.structs.replace(delivery, progress=Progress.CANCELLED, changed_at=draft.now, error=why)
    )
    draft.withdraw(delivery.id)
    draft.unwake_all(AWAITED, delivery.id)
    if threads.has(draft, delivery):
        # In an entry of their own: whoever cancels is about to write the incident, and what they would add to it.
        for each in threads.waiting(draft, delivery):
            threads.wait(draft, each, draft.now)
