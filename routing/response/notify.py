"""Deliveries: who is told what, over which of their methods, and that it is followed through."""

import msgspec

from routing.decision import Table
from routing.delivery import Delivery, Message, Progress, Purpose
from routing.draft import Draft
from routing.effect import Deliver
from routing.incident import Incident
from routing.policy import Contact, Method
from routing.response import render
from routing.severity import Severity
from routing.timer import Wake

UNCLAIMED_MS = 5_000
"""An effect nobody claimed this long after its commit is dispatched again."""


def page(draft: Draft, incident: Incident, contact: Contact, why: str) -> Incident:
    """Page a contact by all methods their rules name for this severity. Returns the incident as changed."""
    methods = contact.by_severity.get(incident.severity) or contact.methods
    for method in methods:
        incident = send(
            draft, incident, contact, method, Purpose.PAGE, render.page(incident, contact, why), why
        )
    return incident


def tell(draft: Draft, incident: Incident, contact: Contact, what: str) -> Incident:
    """Tell a contact quietly, by the first of their quiet methods."""
    if not contact.quiet:
        return incident
    message = render.update(incident, contact, what)
    return send(draft, incident, contact, contact.quiet[0], Purpose.UPDATE, message, what)


def tell_all_paged(draft: Draft, incident: Incident, what: str) -> Incident:
    """Everyone who was paged is owed this, through silences; who is gone from the policy is named."""
    for name in incident.paged:
        contact = draft.policy.contacts.get(name)
        if contact is None:
            draft.note(incident.id, f"{name} was paged and is no longer configured, so not told: {what}")
        else:
            incident = tell(draft, incident, contact, what)
    return incident


def send(
    draft: Draft,
    incident: Incident,
    contact: Contact,
    method: Method,
    purpose: Purpose,
    message: Message,
    why: str,
) -> Incident:
    """Create one delivery and have it dispatched."""
    number = incident.deliveries + 1
    escalation = incident.escalation
    delivery = Delivery(
        id=f"{incident.id}-d{number}",
        incident=incident.id,
        contact=contact.name,
        channel=method.channel,
        address=method.address,
        purpose=purpose,
        severity=incident.severity,
        message=message,
        progress=Progress.PENDING,
        created_at=draft.now,
        changed_at=draft.now,
        stage=escalation.stage if escalation else -1,
        round=escalation.round if escalation else 0,
        why=why,
    )
    draft.put_delivery(delivery)
    dispatch(draft, delivery)
    paged = incident.paged
    if purpose is Purpose.PAGE and contact.name not in paged:
        paged = [*paged, contact.name]
    incident = msgspec.structs.replace(incident, deliveries=number, paged=paged)
    draft.put_incident(incident)
    return incident


def dispatch(draft: Draft, delivery: Delivery, tries: int = 0) -> None:
    """Put the delivery's current attempt into the outbox; again ever more rarely while nobody claims it."""
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
            message=delivery.message,
            urgent=delivery.purpose is Purpose.PAGE and delivery.severity <= Severity.SEV1,
        )
    )
    wait = min(UNCLAIMED_MS << tries, 60_000)
    what = f"dispatch {delivery.id} again if no worker took it"
    draft.wake(
        Wake.UNCLAIMED, delivery.id, draft.now + wait, incident=delivery.incident, what=what, tries=tries
    )


def cancel_pages(draft: Draft, incident: Incident, why: str) -> None:
    """Pages no worker has claimed yet are not sent any more."""
    for delivery in draft.owned(incident.id, Table.DELIVERY, Delivery):
        if delivery.purpose is Purpose.PAGE and delivery.progress is Progress.PENDING:
            draft.put_delivery(
                msgspec.structs.replace(
                    delivery, progress=Progress.CANCELLED, changed_at=draft.now, error=why
                )
            )
            draft.withdraw(delivery.id)
            draft.unwake(Wake.UNCLAIMED, delivery.id)
            draft.unwake(Wake.RETRY, delivery.id)
