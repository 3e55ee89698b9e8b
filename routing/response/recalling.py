"""Recalling: a call that may still ring is ended once somebody has the incident, or it is over.

Whoever has picked up by then hears that, and nobody answers a phone for what somebody else does already. Only over
channels whose module can end a call.
"""

import msgspec

from routing.decision import Table
from routing.delivery import Delivery, Message, Progress, Purpose
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.response import sending
from routing.ringing import RINGS_MS, may_ring

# Named once, as in `routing.draft`: asked for again and again.
_TRIGGERED = Phase.TRIGGERED
_PAGE = Purpose.PAGE

_INCIDENT, _DELIVERY = Table.INCIDENT, Table.DELIVERY  # looked at after every entry


def review(draft: Draft) -> None:
    """Look at every incident that this entry settled, and at every call that was taken after that."""
    if draft.has_put(_INCIDENT):
        for now in draft.changed_incidents():
            before = draft.state.get(_INCIDENT, now.id)
            if _is_settled(now) and isinstance(before, Incident) and not _is_settled(before):
                for page in draft.ringing(now.id):
                    _end(draft, now, page)
    if draft.has_put(_DELIVERY):
        for taken in draft.changed_deliveries():
            if taken.purpose is not _PAGE:
                continue
            incident = draft.incident(taken.incident) if _rings(draft, taken) else None
            if incident is not None and _is_settled(incident):
                _end(draft, incident, taken)


def _is_settled(incident: Incident) -> bool:
    """What goes on as another incident is not: its phones may ring for that."""
    return incident.phase is not _TRIGGERED and not incident.merged_into


def _rings(draft: Draft, page: Delivery) -> bool:
    # A call for several incidents is still for the others.
    if not may_ring(page) or page.changed_at <= draft.now - RINGS_MS or page.listed or page.sandbox:
        return False
    channel = draft.policy.channels.get(page.channel)
    return channel is not None and channel.recalls


def _end(draft: Draft, incident: Incident, page: Delivery) -> None:
    if not _rings(draft, page):
        return
    who = incident.acknowledged_by if incident.phase is Phase.ACKNOWLEDGED else ""
    why = f"{who} has it" if who else "it is resolved"
    ended = msgspec.structs.replace(
        page, progress=Progress.CANCELLED, changed_at=draft.now, error=f"ended: {why}"
    )
    draft.put_delivery(ended)
    draft.note(page.incident, f"the call to {page.contact} is ended: {why}")
    incident = draft.incident(incident.id) or incident
    number = incident.deliveries + 1
    draft.put_incident(msgspec.structs.replace(incident, deliveries=number))
    recall = Delivery(
        id=f"{incident.id}-d{number}",
        incident=incident.id,
        contact=page.contact,
        channel=page.channel,
        address=page.address,
        purpose=Purpose.RECALL,
        severity=page.severity,
        message=Message(title=why, body=why, speech=why),
        progress=Progress.PENDING,
        created_at=draft.now,
        changed_at=draft.now,
        recalls=page.provider_id,
        why=why,
    )
    draft.put_delivery(recall)
    sending.dispatch(draft, recall)
