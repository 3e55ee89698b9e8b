"""Who is told what, over which of their methods."""

from routing.delivery import Held, Purpose
from routing.draft import Draft
from routing.incident import Incident
from routing.policy import Contact
from routing.response import callees, personal, render, sending
from routing.response.callees import Callee
from routing.response.sending import Hour

_UPDATE = Purpose.UPDATE  # named once, as in `routing.draft`


def page(
    draft: Draft, incident: Incident, callee: Callee, why: str, *, urgent: bool = False
) -> tuple[Incident, int]:
    """Page a contact as their rules say for this severity and hour: the incident as changed, and when the
    first message leaves (ms): now, or with their digest.
    """
    contact = callee.contact
    message = render.page(incident, contact, why)
    digest = callee.digest
    if digest is not None and incident.severity in digest.severities:
        at = personal.digest_at(digest, draft.now)
        method = (contact.quiet or contact.methods)[0]
        hour = Hour(Held.DIGEST, at)
        incident = sending.send(draft, incident, contact, method, Purpose.PAGE, message, why, hour=hour)
        return incident, at
    methods, because = personal.methods(draft, contact, incident.severity, urgent=urgent)
    if because:
        names = ", ".join(method.channel for method in methods)
        draft.note(incident.id, f"{contact.title} is paged by {names}: {because}")
    for method in methods:
        incident = sending.send(draft, incident, contact, method, Purpose.PAGE, message, why)
    return incident, draft.now


def tell(
    draft: Draft, incident: Incident, contact: Contact, what: str, collected: Held | None = None
) -> Incident:
    """Tell a contact quietly, by one of their quiet methods; what is `collected`, in their morning."""
    if not contact.quiet:
        return incident
    message = render.update(incident, contact, what)
    hour = Hour(collected, personal.morning(contact, draft.now)) if collected else None
    method = personal.quietly(contact, incident.severity)
    return sending.send(draft, incident, contact, method, _UPDATE, message, what, hour=hour)


def tell_all_paged(draft: Draft, incident: Incident, what: str) -> Incident:
    """Everyone who was paged is owed this, through silences, and when the policy knows them no more."""
    return tell_each(draft, incident, incident.paged, what)


def tell_each(
    draft: Draft, incident: Incident, names: list[str], what: str, collected: Held | None = None
) -> Incident:
    """Tell each contact of these names once; who cannot be told is named."""
    for name in dict.fromkeys(names):
        contact = callees.owed(draft, incident, name)
        if contact is None:
            draft.note(
                incident.id, f"{name} is no longer configured and was only called, so not told: {what}"
            )
        else:
            incident = tell(draft, incident, contact, what, collected)
    return incident
