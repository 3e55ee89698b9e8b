"""A clock of an incident runs out: first a quiet warning to whoever owes the answer, then the next in line."""

import msgspec

from routing import duration
from routing.decision import Table
from routing.delivery import Delivery, Purpose
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.instant import MINUTE
from routing.noise import mute
from routing.policy import Contact
from routing.reason import Reason
from routing.response import acknowledging, clocks, escalation, notify, responding
from routing.response.clocks import Milestone
from routing.timer import Timer

JUST_PAGED_MS = MINUTE
"""Whoever was paged this short a time ago is given it to answer, before the next in line is called too."""


def due(draft: Draft, incident: Incident, timer: Timer) -> None:
    """Do what the milestones of this instant ask for, and wait for the next."""
    if incident.phase is Phase.RESOLVED:
        return
    reached = [each for each in clocks.milestones(draft, incident) if each.at == timer.at]
    clocks.follow(draft, incident, timer.at)
    for each in reached:
        incident = draft.incident(incident.id) or incident
        if each.milestone in {Milestone.RESPOND_SOON, Milestone.RESOLVE_SOON}:
            _warn(draft, incident, each)
        elif each.milestone is Milestone.RESPOND_BY:
            _unanswered(draft, incident)
        else:
            overdue(draft, incident)


def overdue(draft: Draft, incident: Incident) -> Incident:
    """Its resolve-by time has passed: somebody has to hear of it, acknowledged or not."""
    draft.note(incident.id, "not resolved by its time", _promise(draft, incident))
    if incident.phase is Phase.ACKNOWLEDGED:
        return acknowledging.unacknowledge(draft, incident, "it is not resolved by its time")
    if incident.held_until:
        return incident
    return _escalate(draft, incident, "it is not resolved by its time")


def _unanswered(draft: Draft, incident: Incident) -> None:
    """Its respond-by time has passed and nobody has acknowledged: they are named, and the next is called."""
    if incident.silenced_by:
        _postpone(draft, incident)
        return
    names = ", ".join(contact.title for contact in _paged(draft, incident))
    told = f"{names} did not" if names else "nobody was paged"
    draft.note(incident.id, f"not acknowledged by its time: {told}", _promise(draft, incident))
    if incident.held_until:
        responding.release_hold(draft, incident, "nobody has responded in time")
    else:
        _escalate(draft, incident, "nobody acknowledged by the time it promised")


def _postpone(draft: Draft, incident: Incident) -> None:
    """While something mutes it, nobody owes a response; the clock begins when nothing does."""
    level = draft.policy.levels[incident.severity]
    respond_by = incident.held_until + level.respond_ms
    incident = msgspec.structs.replace(incident, respond_by=respond_by)
    draft.put_incident(incident)
    holder = mute.name_of(incident.silenced_by)
    draft.note(incident.id, f"the time to respond begins when {holder} holds it no longer")
    clocks.watch(draft, incident)


def _escalate(draft: Draft, incident: Incident, why: str) -> Incident:
    since = draft.now - JUST_PAGED_MS
    pages = draft.owned(incident.id, Table.DELIVERY, Delivery)
    if any(page.purpose is Purpose.PAGE and page.created_at > since for page in pages):
        draft.note(incident.id, "who was paged just now is given a minute", Reason(text=why))
        return incident
    return escalation.advance(draft, incident, why)


def _warn(draft: Draft, incident: Incident, milestone: clocks.Due) -> None:
    """Quietly, to who has it, or to everyone who was paged while nobody does."""
    left = duration.text((milestone.deadline - draft.now) // MINUTE * MINUTE)
    if milestone.deadline <= draft.now or incident.held_until:
        return
    owed = "acknowledged" if milestone.milestone is Milestone.RESPOND_SOON else "resolved"
    names = ", ".join(contact.title for contact in _owing(draft, incident))
    what = f"{left} left until it should be {owed}"
    draft.note(
        incident.id, f"{what}; told {names or 'nobody, for nobody was paged'}", _promise(draft, incident)
    )
    for contact in _owing(draft, incident):
        incident = notify.tell(draft, incident, contact, f"{incident.title}: {what}.")


def _owing(draft: Draft, incident: Incident) -> list[Contact]:
    holder = draft.policy.contacts.get(incident.acknowledged_by)
    if incident.phase is Phase.ACKNOWLEDGED and holder is not None:
        return [holder]
    return _paged(draft, incident)


def _paged(draft: Draft, incident: Incident) -> list[Contact]:
    known = draft.policy.contacts
    return [known[name] for name in incident.paged if name in known]


def _promise(draft: Draft, incident: Incident) -> Reason:
    level = draft.policy.levels[incident.severity]
    resolve = ""
    if level.resolve_ms:
        resolve = f", and that it is resolved within {duration.text(level.resolve_ms)}"
    elif level.resolve_sprints:
        resolve = ", and that it is resolved by the end of a sprint"
    text = f"{level.severity} promises an answer within {duration.text(level.respond_ms)}{resolve}"
    return Reason(text=text, rule=str(level.severity), origin=str(level.origin))
