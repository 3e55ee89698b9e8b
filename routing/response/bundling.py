"""Bundling: what a contact could not be told one by one is told in one message, and none of it is lost.

The first held delivery whose turn comes carries the others: its message names them. Each of the others joins it
(`routing.response.carried`) and is done when it is done; when it fails, each goes its own way again.
"""

from heapq import nsmallest
from itertools import islice

import msgspec

from routing.delivery import COLLECTED, Delivery, Held, Message, Progress, Purpose, Ration, ration_key
from routing.draft import Draft
from routing.incident import Incident
from routing.policy import Contact
from routing.response import callees, carried, deliveries, rations, render, sending
from routing.timer import Wake

LISTED = 10
"""A message for several names so many incidents, the worst first; the others it counts."""


def due(draft: Draft, delivery: Delivery) -> None:
    """The delivery's turn has come, or it is to look how its carrier fares."""
    if delivery.progress is not Progress.PENDING:
        return
    if delivery.carrier:
        _look(draft, delivery)
        return
    ration = rations.of(draft, ration_key(delivery))
    if delivery.number <= ration.told:
        carried.join(draft, delivery, ration.carrier)
        return
    opens = draft.now if delivery.held in COLLECTED else rations.opens_at(draft, delivery)
    if opens > draft.now:
        what = f"tell {delivery.contact} by {delivery.channel}, together with all that came by then"
        draft.wake(Wake.BUNDLE, delivery.id, opens, incident=delivery.incident, what=what)
        return
    _carry(draft, delivery, ration)


def _carry(draft: Draft, delivery: Delivery, ration: Ration) -> None:
    """One message for everything that waits, this delivery's own incident included."""
    waiting = _waiting(draft, ration.key)
    ration = msgspec.structs.replace(ration, told=ration.held, carrier=delivery.id)
    rations.keep(draft, delivery, ration)
    by_incident: dict[str, list[Delivery]] = {}
    for each in waiting:
        by_incident.setdefault(each.incident, []).append(each)
    if len(by_incident) > 1 or delivery.held == Held.DIGEST:
        delivery = _listing(draft, delivery, by_incident)
        draft.note(
            delivery.incident, f"{delivery.id} tells {delivery.contact} of {len(by_incident)} incidents"
        )
    elif len(waiting) > 1 and delivery.purpose is Purpose.UPDATE:
        message = render.updates(delivery.incident, _news(waiting))
        delivery = msgspec.structs.replace(delivery, message=message)
    sending.leave(draft, delivery)
    others = (each for each in waiting if each.id != delivery.id)
    for each in islice(others, carried.MOST_AT_ONCE):
        carried.join(draft, draft.delivery(each.id) or each, delivery.id)


def _listing(draft: Draft, delivery: Delivery, by_incident: dict[str, list[Delivery]]) -> Delivery:
    """The worst incidents by name; from now on their contact is owed the end of each."""
    firsts = (found[0] for found in by_incident.values())
    named = nsmallest(LISTED, firsts, key=lambda each: (each.severity, each.created_at, each.id))
    for each in named:
        sending.owe(draft, each)
    told = [
        (found, _news(by_incident[found.id])) for each in named if (found := draft.incident(each.incident))
    ]
    contact = callees.find(draft.policy, delivery.contact)
    message = _message(delivery, told, len(by_incident), contact)
    return msgspec.structs.replace(delivery, message=message, listed=[each.id for each, _ in told])


def _news(waiting: list[Delivery]) -> list[str]:
    """What was to be said, oldest first."""
    return list(dict.fromkeys(each.message.speech for each in waiting))


def _message(
    delivery: Delivery, told: list[tuple[Incident, list[str]]], many: int, contact: Contact | None
) -> Message:
    zone = contact.timezone if contact else "UTC"
    if delivery.held == Held.MORNING:
        return render.left_to_do(told, many)
    if delivery.purpose is Purpose.UPDATE:
        return render.bundled_updates(told, many)
    incidents = [each for each, _ in told]
    if delivery.held == Held.DIGEST:
        return render.digest(incidents, many, zone)
    return render.bundled_pages(incidents, many, zone)


def _look(draft: Draft, delivery: Delivery) -> None:
    carrier = draft.delivery(delivery.carrier)
    if carrier is not None and not carrier.progress.over:
        carried.look_again(draft, delivery)
    elif carrier is None or carrier.progress in {Progress.FAILED, Progress.CANCELLED}:
        deliveries.give_up(draft, delivery, f"{delivery.carrier}, which was to tell of it, was not delivered")
    else:
        carried.told(draft, delivery, carrier)


def _waiting(draft: Draft, key: str) -> list[Delivery]:
    found = (draft.delivery(each) for each in draft.state.waiting.of(key))
    return [each for each in found if each is not None]
