"""Roles: who does what while an incident is run, by rule; each is told once what is theirs."""

import msgspec

from routing.draft import Draft
from routing.incident import Incident
from routing.policy import Process, Role
from routing.reason import Reason
from routing.response import callees, notify, stages


def assign(draft: Draft, rules: Process, incident: Incident) -> Incident:
    """Give every role of the process to the first whose rule holds and means somebody now."""
    course = incident.course
    if course is None:
        return incident
    held = dict(course.roles)
    for role in rules.roles:
        holder = _holder(draft, incident, role) if role.name not in held else ""
        if holder:
            held[role.name] = holder
            reason = Reason(text=f"its rule names {holder}", rule=role.name, origin=str(role.origin))
            draft.note(incident.id, f"{role.name}: {holder}", reason)
    incident = msgspec.structs.replace(incident, course=msgspec.structs.replace(course, roles=held))
    draft.put_incident(incident)
    for name, contact in held.items():
        if course.roles.get(name) != contact:
            incident = notify.tell_each(draft, incident, [contact], f"You are {name} of: {incident.title}")
    return incident


def _holder(draft: Draft, incident: Incident, role: Role) -> str:
    if not all(matcher.matches(stages.labels(incident)) for matcher in role.matchers):
        return ""
    people = callees.resolve(draft, (role.target,)).people
    return people[0].contact.name if people else ""
