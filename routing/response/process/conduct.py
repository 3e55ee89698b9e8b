"""Conduct: an incident of consequence goes through the phases of the process, and people have their roles."""

import msgspec

from routing.course import Course, Passage
from routing.decision import Table
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.instant import iso
from routing.policy import Process
from routing.reason import Reason
from routing.response import callees, notify
from routing.response.process import cadence, recovery, roles
from routing.timer import Wake

# Named once, as in `routing.draft`: asked for again and again.
_RESOLVED, _ACKNOWLEDGED = Phase.RESOLVED, Phase.ACKNOWLEDGED
_INCIDENT = Table.INCIDENT
_ASSESSMENT = Passage.ASSESSMENT


def review(draft: Draft) -> None:
    """Look at every incident this entry changed."""
    rules = draft.policy.process
    if rules is None:
        return
    for incident in draft.changed_incidents():
        if not incident.drill:
            _follow(draft, rules, incident)
            recovery.notice(draft, rules, incident)


def due(draft: Draft, incident: Incident) -> None:
    """The time of a phase is over."""
    rules, course = draft.policy.process, incident.course
    if rules is None or course is None:
        return
    if course.passage is _ASSESSMENT:
        enter(
            draft, rules, incident, Passage.COORDINATION, "its time is over, though nobody has acknowledged"
        )
    elif course.passage is Passage.COORDINATION:
        enter(draft, rules, incident, Passage.RESOLUTION, "its time is over")
    elif course.passage is Passage.RECOVERY:
        recovery.close(draft, rules, incident)


def _follow(draft: Draft, rules: Process, incident: Incident) -> None:
    course, resolved = incident.course, incident.phase is _RESOLVED
    if course is None:
        # Who is held back by a silence or a repair is not yet run by anybody.
        if incident.severity in rules.severities and incident.paged and not resolved:
            _begin(draft, rules, incident)
    elif incident.merged_into:
        _leave(draft, incident, course)
    elif resolved and not course.after_resolve:
        recovery.begin(draft, rules, incident, course)
    elif not resolved and course.after_resolve:
        draft.drop(Table.FACT, recovery.watched(incident.service))
        enter(draft, rules, incident, Passage.RESOLUTION, "it is back")
    else:
        _advance(draft, rules, incident, course)


def _advance(draft: Draft, rules: Process, incident: Incident, course: Course) -> None:
    before = draft.state.get(_INCIDENT, incident.id)
    if isinstance(before, Incident) and before.severity is not incident.severity:
        incident = roles.assign(draft, rules, incident)
    if incident.phase is _ACKNOWLEDGED and course.passage is _ASSESSMENT:
        enter(draft, rules, incident, Passage.COORDINATION, f"{incident.acknowledged_by} has it")


def _begin(draft: Draft, rules: Process, incident: Incident) -> None:
    until = max(draft.now, incident.opened_at + rules.assessment_ms)
    course = Course(passage=_ASSESSMENT, since_at=draft.now, until_at=until)
    draft.note(incident.id, f"assessment until {iso(until)}", _by(rules))
    draft.wake(Wake.PHASE, incident.id, until, incident=incident.id, what="assessment is over")
    incident = roles.assign(draft, rules, msgspec.structs.replace(incident, course=course))
    incident = _gather(draft, rules, incident)
    cadence.expect(draft, rules, incident)


def _gather(draft: Draft, rules: Process, incident: Incident) -> Incident:
    """Where all who work on it come together, it is shown; over a channel with threads that place follows it."""
    if rules.room is None:
        return incident
    found = callees.resolve(draft, (rules.room,))
    for each in found.people:
        if each.contact.name not in incident.paged:
            incident = notify.tell(draft, incident, each.contact, f"Work on {incident.title} goes on here")
    return incident


def enter(draft: Draft, rules: Process, incident: Incident, passage: Passage, why: str) -> None:
    """The next phase: its clock, and the status updates it owes."""
    course = incident.course
    if course is None:
        return
    until = _coordinated_at(rules, incident) if passage is Passage.COORDINATION else 0
    draft.unwake(Wake.PHASE, incident.id)
    if until:
        until = max(until, draft.now)
        draft.wake(Wake.PHASE, incident.id, until, incident=incident.id, what=f"{passage} is over")
    end = f" until {iso(until)}" if until else ""
    draft.note(incident.id, f"{passage}{end}: {why}", _by(rules))
    course = msgspec.structs.replace(course, passage=passage, since_at=draft.now, until_at=until)
    incident = msgspec.structs.replace(incident, course=course)
    draft.put_incident(incident)
    if draft.timer(Wake.STATUS, incident.id) is None:
        cadence.expect(draft, rules, incident)


def _coordinated_at(rules: Process, incident: Incident) -> int:
    """What must be resolved within an hour cannot be coordinated for an hour: half of the time is the most."""
    at = incident.opened_at + rules.coordination_ms
    half = (incident.opened_at + incident.resolve_by) // 2
    return min(at, half) if incident.resolve_by else at


def _leave(draft: Draft, incident: Incident, course: Course) -> None:
    """What it was merged into is run now; here nobody owes anything any more."""
    if course.passage is Passage.CLOSED:
        return
    for wake in (Wake.PHASE, Wake.STATUS):
        draft.unwake(wake, incident.id)
    closed = msgspec.structs.replace(course, passage=Passage.CLOSED, since_at=draft.now, until_at=0)
    draft.put_incident(msgspec.structs.replace(incident, course=closed))


def _by(rules: Process) -> Reason:
    return Reason(text="phases of the incident process", rule="process", origin=str(rules.origin))
