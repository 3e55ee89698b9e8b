"""Following: each thread of an incident is told once how the incident goes on, unless it hears it anyway."""

from routing.course import Passage
from routing.decision import Table
from routing.delivery import Progress, Purpose, Thread
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.policy import Method
from routing.response import callees, render, sending


def review(draft: Draft) -> None:
    """Look at every incident this entry changed."""
    for key in draft.changed(Table.INCIDENT):
        incident = draft.incident(key)
        if incident is None or not incident.threads:
            continue
        before = draft.state.get(Table.INCIDENT, key)
        if isinstance(before, Incident) and (news := _news(before, incident)):
            tell(draft, incident, f"{news}: {incident.title}")


def tell(draft: Draft, incident: Incident, what: str) -> Incident:
    """Tell each thread that this entry has told nothing yet."""
    told = _told(draft, incident)
    for thread in incident.threads:
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


def _told(draft: Draft, incident: Incident) -> set[tuple[str, str]]:
    """Places that a message of this entry goes to."""
    new = [key for key in draft.changed(Table.DELIVERY) if draft.state.get(Table.DELIVERY, key) is None]
    found = [each for key in new if (each := draft.delivery(key)) is not None]
    return {(each.channel, each.address) for each in found if each.incident == incident.id}


def _news(before: Incident, now: Incident) -> str:
    """What those who follow it must hear; "" when it is nothing."""
    said = [_phase(before, now), _severity(before, now), _passage(before, now)]
    return ". ".join(each for each in said if each)


def _phase(before: Incident, now: Incident) -> str:
    if now.merged_into:
        return "" if before.merged_into else f"It goes on as {now.merged_into}"
    if now.phase is Phase.RESOLVED:
        who = "" if now.resolved_by == "source" else f" by {now.resolved_by}"
        return "" if before.phase is Phase.RESOLVED else f"Resolved{who}"
    if now.phase is Phase.ACKNOWLEDGED:
        same = before.phase is now.phase and before.acknowledged_by == now.acknowledged_by
        return "" if same else f"{now.acknowledged_by} has it"
    if before.phase is Phase.RESOLVED:
        return "Reopened"
    return "" if before.phase is now.phase else "Nobody has it any more"


def _severity(before: Incident, now: Incident) -> str:
    if before.severity is now.severity:
        return ""
    return f"{'Raised' if now.severity < before.severity else 'Lowered'} to {now.severity}"


def _passage(before: Incident, now: Incident) -> str:
    """The end of the process by which it is run, which closes its rooms."""
    was = before.course.passage if before.course else None
    closed = now.course is not None and now.course.passage is Passage.CLOSED and not now.merged_into
    return "Closed" if closed and was is not Passage.CLOSED else ""
