"""Roles: who does what while an incident is run, by rule; each is told once what is theirs."""

import msgspec

from routing.draft import Draft
from routing.incident import Incident
from routing.policy import Process, Role
from routing.reason import Reason
from routing.response import callees, notify, stages


def assign(draft: Draft, rules: Process, incident: Incident) -> Incident:
    """Give every role of the process to the first whose rule holds and means somebody now; who has one keeps it."""
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


def hand_over(draft: Draft, incident: Incident, role: str, to: str, by: str, via: str) -> None:
    """A person gives a role to `to`, as "contact:ben" or "schedule:primary"; both who has it and who had it hear."""
    course, (kind, _, name) = incident.course, to.partition(":")
    people = callees.resolve(draft, ((kind, name),)).people
    if course is None or not people:
        why = f"{to} means nobody now" if course else "it is not run by the incident process"
        draft.note(incident.id, f"{by} asked to make {to} {role}: {why}; nothing has changed", by=by)
        return
    holder, before = people[0].contact, course.roles.get(role, "")
    draft.note(incident.id, f"{role}: {holder.name}, by {by} via {via}", by=by)
    course = msgspec.structs.replace(course, roles={**course.roles, role: holder.name})
    incident = msgspec.structs.replace(incident, course=course)
    draft.put_incident(incident)
    if before != holder.name:
        said = f"You are {role} of: {incident.title}"
        incident = notify.tell_each(draft, incident, [holder.name], said)
        gone = [before] if before else []
        notify.tell_each(draft, incident, gone, f"{holder.title} is {role} now of: {incident.title}")


def _holder(draft: Draft, incident: Incident, role: Role) -> str:
    if not all(matcher.matches(stages.labels(incident)) for matcher in role.matchers):
        return ""
    people = callees.resolve(draft, (role.target,)).people
    return people[0].contact.name if people else ""
