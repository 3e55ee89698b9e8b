"""Audiences: who else hears of an incident, quietly, by severity: that it is open, how it stands, that it is over."""

import msgspec

from routing.automation import starting
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.policy import Audience
from routing.response import callees, notify

# Named once, as in `routing.draft`: asked for again and again.
_RESOLVED = Phase.RESOLVED

OPENED, UPDATES, RESOLVED = "opened", "updates", "resolved"


def review(draft: Draft) -> None:
    """Look at every incident this entry changed: what has become bad enough, and what is over."""
    known = draft.policy.process.audiences if draft.policy.process else ()
    if not known:
        return
    for incident in draft.changed_incidents():
        if not incident.drill:
            _follow(draft, known, incident)


def updated(draft: Draft, incident: Incident, said: str) -> Incident:
    """A person said how it stands."""
    process = draft.policy.process
    for audience in process.audiences if process else ():
        if audience.name in incident.heard and UPDATES in audience.hears:
            incident = _tell(draft, incident, audience, said)
    return incident


def listening(draft: Draft, incident: Incident) -> frozenset[str]:
    """Contacts who only hear of it as an audience: nobody pages them for it, and they have no part in it."""
    process = draft.policy.process
    heard = [each for each in (process.audiences if process else ()) if each.name in incident.heard]
    people = {
        each.contact.name for audience in heard for each in callees.resolve(draft, audience.targets).people
    }
    return frozenset(people - _taking_part(incident))


def _follow(draft: Draft, known: tuple[Audience, ...], incident: Incident) -> None:
    if incident.phase is _RESOLVED:
        _over(draft, known, incident)
        return
    for audience in known:
        # Who is held back by a silence or a repair is told to nobody yet.
        if (
            audience.name in incident.heard
            or incident.severity not in audience.severities
            or not incident.paged
        ):
            continue
        incident = msgspec.structs.replace(incident, heard=[*incident.heard, audience.name])
        draft.put_incident(incident)
        if audience.runbook:
            starting.start_by_hand(
                draft, incident, audience.runbook, f"audience {audience.name}", "process.yaml"
            )
        elif OPENED in audience.hears:
            said = f"Open: {incident.severity} {incident.title}"
            _tell(draft, incident, audience, said)
        incident = draft.incident(incident.id) or incident


def _over(draft: Draft, known: tuple[Audience, ...], incident: Incident) -> None:
    """Once: who heard of it hears of its end, and anew should it come back."""
    if not incident.heard:
        return
    heard, incident = incident.heard, msgspec.structs.replace(incident, heard=[])
    draft.put_incident(incident)
    if incident.merged_into:
        return
    for audience in known:
        if audience.name in heard and RESOLVED in audience.hears:
            incident = _tell(draft, incident, audience, f"Resolved: {incident.title}")


def _tell(draft: Draft, incident: Incident, audience: Audience, said: str) -> Incident:
    """Quietly, and nobody who hears of it anyway: who was paged, or has a role."""
    people = [each.contact for each in callees.resolve(draft, audience.targets).people]
    taking_part = _taking_part(incident)
    others = [each for each in people if each.name not in taking_part]
    for contact in others:
        incident = notify.tell(draft, incident, contact, said)
    if others:
        draft.note(incident.id, f"told {audience.name}: {', '.join(each.title for each in others)}")
    return draft.incident(incident.id) or incident


def _taking_part(incident: Incident) -> frozenset[str]:
    roles = incident.course.roles.values() if incident.course else ()
    return frozenset({*incident.paged, *roles})
