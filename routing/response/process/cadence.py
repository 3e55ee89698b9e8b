"""Cadence: status updates that are owed every so often, and reminders to the person who owes them."""

import msgspec

from routing import duration
from routing.course import Course
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.instant import SECOND
from routing.policy import Process
from routing.reminding import spaced
from routing.response import following, informing, notify
from routing.response.process import audiences
from routing.timer import Wake

PATIENCE = 3
"""Reminders in a row that go only to who owes the update; from then on everyone who was paged hears of it."""


def expect(draft: Draft, rules: Process, incident: Incident) -> None:
    """The next status update is owed by then."""
    course = incident.course
    if course is not None:
        course = msgspec.structs.replace(course, updated_at=draft.now, missed=0)
        _wake(draft, incident, course, draft.now + rules.update_ms)


def _wake(draft: Draft, incident: Incident, course: Course, at: int) -> None:
    course = msgspec.structs.replace(course, update_due_at=at)
    draft.put_incident(msgspec.structs.replace(incident, course=course))
    draft.wake(Wake.STATUS, incident.id, at, incident=incident.id, what="remind of the status update")


def due(draft: Draft, incident: Incident) -> None:
    """No status update has come in time."""
    rules, course = draft.policy.process, incident.course
    if rules is None or course is None or incident.phase is Phase.RESOLVED:
        return
    if incident.snoozed_until > draft.now:
        expect(draft, rules, incident)
        return
    missed = course.missed + 1
    owes = owing(draft, rules, incident)
    lasted = draft.now - (course.updated_at or course.since_at)
    late = duration.text(lasted // SECOND * SECOND)
    draft.note(incident.id, f"no status update for {late}; reminded {owes or 'nobody'}")
    everyone = incident.paged if missed > PATIENCE else []
    said = f'No status update for {late}, which {owes} owes: tocsin incidents status {incident.id} "..."'
    incident = notify.tell_each(draft, incident, [each for each in (owes, *everyone) if each], said)
    course = msgspec.structs.replace(course, missed=missed)
    _wake(draft, incident, course, draft.now + spaced(rules.update_ms, lasted))


def owing(draft: Draft, rules: Process, incident: Incident) -> str:
    """The contact who owes the updates: the role's holder, or else who has it, or who was paged first."""
    held = incident.course.roles if incident.course else {}
    known = draft.policy.contacts
    others = (incident.acknowledged_by, *incident.paged)
    return next((each for each in (held.get(rules.update_from, ""), *others) if each in known), "")


def status(draft: Draft, incident: Incident, text: str, by: str, via: str) -> None:
    """A person says how it stands: all who were paged, who have a role, and the rooms of its route are told."""
    draft.note(incident.id, f"status update by {by} via {via}: {text}", by=by)
    said = f"Status of {incident.title}: {text} ({by})"
    held = incident.course.roles.values() if incident.course else ()
    incident = notify.tell_each(draft, incident, [*incident.paged, *held], said)
    incident = following.tell(draft, informing.inform(draft, incident, said), said)
    incident = audiences.updated(draft, incident, said)
    rules = draft.policy.process
    if rules is not None and incident.phase is not Phase.RESOLVED:
        expect(draft, rules, incident)
