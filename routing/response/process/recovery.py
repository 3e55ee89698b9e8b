"""Recovery: what is resolved is watched for a regression, its channels are closed, its post-mortem is set."""

import msgspec

from routing import duration
from routing.calendar import hours
from routing.course import Course, Passage
from routing.decision import Table
from routing.draft import Draft
from routing.incident import FollowUp, Incident, Phase
from routing.instant import iso
from routing.policy import Process
from routing.reason import Reason
from routing.response import followups, informing, notify
from routing.response.process import baseline, cadence
from routing.timer import Wake

_INCIDENT = Table.INCIDENT  # named once, as in `routing.draft`


def watched(service: str) -> str:
    """Key of the fact that names the incident whose recovery is watched for a service."""
    return f"recovering:{service}"


def begin(draft: Draft, rules: Process, incident: Incident, course: Course) -> None:
    """It is resolved: no more status updates are owed; the watch begins, and the post-mortem has its date."""
    draft.unwake(Wake.STATUS, incident.id)
    course = msgspec.structs.replace(
        course, passage=Passage.RECOVERY, since_at=draft.now, update_due_at=0, missed=0, regressions=[]
    )
    incident = msgspec.structs.replace(incident, course=course)
    incident = _watch(draft, rules, incident, course)
    draft.note(incident.id, f"recovery until {iso(draft.now + rules.recovery_ms)}: watched for a regression")
    if incident.service:
        draft.put_fact(watched(incident.service), incident.id)
    incident = _set_postmortem(draft, rules, incident)
    others = [each for each in course.roles.values() if each not in incident.paged]
    notify.tell_each(draft, incident, others, f"Resolved: {incident.title}; watched for a regression")


def _watch(draft: Draft, rules: Process, incident: Incident, course: Course) -> Incident:
    until = draft.now + rules.recovery_ms
    incident = msgspec.structs.replace(incident, course=msgspec.structs.replace(course, until_at=until))
    draft.wake(Wake.PHASE, incident.id, until, incident=incident.id, what="close it if nothing came back")
    draft.put_incident(incident)
    return incident


def notice(draft: Draft, rules: Process, opened: Incident) -> None:
    """A new incident on a service that is being watched is a regression until somebody knows better."""
    if draft.state.get(_INCIDENT, opened.id) is not None or opened.phase is Phase.RESOLVED:
        return
    before = draft.incident(draft.fact(watched(opened.service))) if opened.service else None
    course = before.course if before else None
    if before is None or course is None or course.passage is not Passage.RECOVERY or before.id == opened.id:
        return
    since = duration.text((draft.now - before.resolved_at) // 1000 * 1000)
    said = f"Perhaps a regression: {opened.id}, {opened.title}, {since} after {before.id} was resolved"
    draft.note(before.id, said)
    draft.note(opened.id, said)
    course = msgspec.structs.replace(course, regressions=[*course.regressions, opened.id])
    before = _watch(draft, rules, before, course)
    owes = cadence.owing(draft, rules, before)
    notify.tell_each(draft, before, [owes] if owes else before.paged, said)


def close(draft: Draft, rules: Process, incident: Incident) -> None:
    """The watch is over: whoever was told of it hears that it is closed, and its channels with it."""
    course = incident.course
    if course is None:
        return
    measured = baseline.compare(draft, incident.service)
    if unusual := [each.reason for each in measured if each.crossed]:
        _unusual(draft, rules, incident, course, unusual)
        return
    draft.drop(Table.FACT, watched(incident.service))
    span = duration.text(rules.recovery_ms)
    back = ", ".join(course.regressions)
    what = f"nothing new for {span} after {back}" if back else f"nothing came back within {span}"
    draft.note(incident.id, f"closed: {what}", *(each.reason for each in measured))
    closed = msgspec.structs.replace(course, passage=Passage.CLOSED, since_at=draft.now, until_at=0)
    incident = msgspec.structs.replace(incident, course=closed)
    draft.put_incident(incident)
    said = f"Closed: {incident.title} ({what}). Its channels can be closed."
    incident = notify.tell_each(draft, incident, [*incident.paged, *course.roles.values()], said)
    informing.inform(draft, incident, said)


def _unusual(draft: Draft, rules: Process, incident: Incident, course: Course, reasons: list[Reason]) -> None:
    """Nothing came back, but what is measured of the service is not what is usual: it is watched on."""
    incident = _watch(draft, rules, incident, course)
    said = f"Not back to what is usual: {incident.title} ({'; '.join(each.text for each in reasons)})"
    draft.note(
        incident.id, f"not closed, and watched for another {duration.text(rules.recovery_ms)}", *reasons
    )
    owes = cadence.owing(draft, rules, incident)
    notify.tell_each(draft, incident, [owes] if owes else incident.paged, said)


def _set_postmortem(draft: Draft, rules: Process, incident: Incident) -> Incident:
    """A follow-up with its date, reminded of until it is done; a second resolve does not set another."""
    key = f"{incident.id}-postmortem"
    if any(each.id == key for each in incident.followups):
        return incident
    at = draft.now + rules.postmortem_ms
    found = draft.policy.hours.get(rules.postmortem_hours)
    if found is not None and (start := hours.next_start(found, at)) < hours.FOREVER:
        at = start
    text = f"complete the incident report and hold the post-mortem of {incident.id} on {iso(at)}"
    followup = FollowUp(id=key, text=text, opened_at=draft.now, remind_at=at, appointed=True)
    draft.note(incident.id, f"follow-up: {text}")
    followups.wake(draft, incident, followup)
    incident = msgspec.structs.replace(incident, followups=[*incident.followups, followup])
    draft.put_incident(incident)
    return incident
