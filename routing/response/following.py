"""Following: each thread of an incident is told once how the incident goes on, unless it hears it anyway."""

from collections.abc import Iterable

from routing.course import Passage
from routing.decision import Table
from routing.delivery import Delivery, Progress, Purpose, Thread
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.policy import Method
from routing.response import callees, render, sending
from routing.response.process import audiences

# Named once, as in `routing.draft`: asked for again and again.
_INCIDENT, _DELIVERY = Table.INCIDENT, Table.DELIVERY
_RESOLVED, _ACKNOWLEDGED = Phase.RESOLVED, Phase.ACKNOWLEDGED


def review(draft: Draft) -> None:
    """Look at every incident this entry changed."""
    for incident in draft.changed_incidents():
        if not incident.threads:
            continue
        before = draft.state.get(_INCIDENT, incident.id)
        if isinstance(before, Incident) and _told_of(before) != _told_of(incident):
            _follow(draft, before, incident)


def _told_of(incident: Incident) -> tuple[object, ...]:
    """All that its threads are told of; most entries change none of it."""
    passage = incident.course.passage if incident.course else None
    who = incident.acknowledged_by, bool(incident.asked_again)
    return incident.phase, incident.severity, incident.merged_into, passage, who


def _follow(draft: Draft, before: Incident, incident: Incident) -> None:
    """Everybody hears how it goes on; who has it is for those who work on it."""
    parts = (_end(before, incident), _severity(before, incident), _passage(before, incident))
    course = [each for each in parts if each]
    if holder := _holder(before, incident):
        what = f"{'. '.join([holder, *course])}: {incident.title}"
        incident = tell(draft, incident, what) if course else _tell_who_has_it(draft, incident, what)
    if course:
        _tell(draft, incident, incident.threads, f"{'. '.join(course)}: {incident.title}")


def tell(draft: Draft, incident: Incident, what: str) -> Incident:
    """Tell each thread that this entry has told nothing yet; audiences hear what they are to hear, and not this."""
    return _tell(draft, incident, _taking_part(draft, incident), what)


def _tell_who_has_it(draft: Draft, incident: Incident, what: str) -> Incident:
    """Of the moment: who hears it otherwise need not read it again in a letter, which is there for the end."""
    hearing = {each.contact for each in _new(draft, incident)}
    threads = [
        each
        for each in _taking_part(draft, incident)
        if each.contact not in hearing or not _brings_letters(draft, each)
    ]
    return _tell(draft, incident, threads, what)


def _taking_part(draft: Draft, incident: Incident) -> list[Thread]:
    listening = audiences.listening(draft, incident)
    return [each for each in incident.threads if each.contact not in listening]


def _brings_letters(draft: Draft, thread: Thread) -> bool:
    channel = draft.policy.channels.get(thread.channel)
    return channel is not None and channel.letters


def _tell(draft: Draft, incident: Incident, threads: Iterable[Thread], what: str) -> Incident:
    told = {(each.channel, each.address) for each in _new(draft, incident)}
    for thread in threads:
        if (thread.channel, thread.address) in told or not _stands(draft, thread):
            continue
        contact = callees.owed(draft, incident, thread.contact)
        if contact is not None:
            method = Method(thread.channel, thread.address)
            message = render.update(incident, contact, what)
            incident = sending.send(draft, incident, contact, method, Purpose.UPDATE, message, what)
    return incident


def _stands(draft: Draft, thread: Thread) -> bool:
    """It is open, or about to be, or failed to be: then the news opens it, and shows how everything is by now."""
    opener = draft.delivery(thread.opener)
    gone = opener is None or opener.progress is Progress.CANCELLED
    return thread.channel in draft.policy.channels and bool(thread.id or not gone)


def _new(draft: Draft, incident: Incident) -> list[Delivery]:
    """What this entry tells of the incident so far."""
    known, put = draft.state.tables[_DELIVERY], draft.changed_deliveries()
    return [each for each in put if each.incident == incident.id and each.id not in known]


def _end(before: Incident, now: Incident) -> str:
    if now.merged_into:
        return "" if before.merged_into else f"It goes on as {now.merged_into}"
    if now.phase is _RESOLVED:
        who = "" if now.resolved_by == "source" else f" by {now.resolved_by}"
        return "" if before.phase is _RESOLVED else f"Resolved{who}"
    return "Reopened" if before.phase is _RESOLVED else ""


def _holder(before: Incident, now: Incident) -> str:
    if now.merged_into or now.phase is _RESOLVED:
        return ""
    had = before.acknowledged_by if before.phase is _ACKNOWLEDGED or before.asked_again else ""
    if now.phase is _ACKNOWLEDGED:
        return "" if had == now.acknowledged_by else f"{now.acknowledged_by} has it"
    return "Nobody has it any more" if had and not now.asked_again else ""


def _severity(before: Incident, now: Incident) -> str:
    if before.severity is now.severity:
        return ""
    return f"{'Raised' if now.severity < before.severity else 'Lowered'} to {now.severity}"


def _passage(before: Incident, now: Incident) -> str:
    """The end of the process by which it is run, which closes its rooms."""
    was = before.course.passage if before.course else None
    closed = now.course is not None and now.course.passage is Passage.CLOSED and not now.merged_into
    return "Closed" if closed and was is not Passage.CLOSED else ""
