"""Somebody has it, for a while."""

import msgspec

from routing.decision import Table
from routing.delivery import Purpose
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.instant import WEEK
from routing.reason import Reason
from routing.reminding import spaced
from routing.response import clocks, escalation, notify, sending
from routing.timer import Timer, Wake


def acknowledge(draft: Draft, incident: Incident, by: str, via: str) -> Incident:
    """Somebody has it. Stops paging, tells everyone who was paged; expires if it stays unresolved.

    Where the step wants everyone's acknowledgement, only that of the last one does so.
    """
    if incident.phase is not Phase.TRIGGERED:
        draft.note(incident.id, f"{by} acknowledged again via {via}", by=by)
        return incident
    steps = incident.escalation
    if steps is not None and steps.awaited:
        if steps.awaited != [by]:
            return _one_of_several(draft, incident, by, via)
        by = ", ".join([*steps.acked, by])
    hear = incident.asked_again if by == incident.acknowledged_by else []
    incident = msgspec.structs.replace(
        incident,
        phase=Phase.ACKNOWLEDGED,
        asked_again=[],
        acknowledged_at=draft.now,
        acknowledged_by=by,
        changed_at=draft.now,
        held_until=0,
        snoozed_until=0,
    )
    escalation.stop(draft, incident)
    draft.put_incident(incident)
    sending.cancel_pages(draft, incident, f"acknowledged by {by}")
    draft.note(incident.id, f"acknowledged by {by} via {via}", by=by)
    expires = _ack_expires_at(draft, incident)
    draft.wake(
        Wake.ACK_EXPIRES, incident.id, expires, incident=incident.id, what="page again if it is still open"
    )
    clocks.watch(draft, incident)
    if incident.drill:  # over by that, which is told
        return incident
    return notify.tell_each(draft, incident, hear or incident.paged, f"{by} acknowledged {incident.title}")


def _one_of_several(draft: Draft, incident: Incident, by: str, via: str) -> Incident:
    """One acknowledgement of those the step wants: whoever gave it is paged no more, the others are."""
    steps = incident.escalation
    if steps is None:
        return incident
    if by not in steps.awaited:
        wanted = ", ".join(steps.awaited)
        draft.note(incident.id, f"{by} acknowledged via {via}; the step still wants it of {wanted}", by=by)
        return incident
    awaited = [each for each in steps.awaited if each != by]
    steps = msgspec.structs.replace(steps, awaited=awaited, acked=[*steps.acked, by])
    incident = msgspec.structs.replace(incident, escalation=steps, changed_at=draft.now)
    draft.put_incident(incident)
    sending.cancel_pages(draft, incident, f"acknowledged by {by}", contact=by)
    wanted = ", ".join(awaited)
    draft.note(incident.id, f"{by} acknowledged via {via}; still wanted: {wanted}", by=by)
    timer = draft.find(Table.TIMER, f"{Wake.ESCALATE}:{incident.id}", Timer)
    if timer is not None:
        what = f"page the next step unless all of {wanted} acknowledge"
        draft.wake(Wake.ESCALATE, incident.id, timer.at, incident=incident.id, what=what)
    return incident


def _ack_expires_at(draft: Draft, incident: Incident) -> int:
    level = draft.policy.levels[incident.severity]
    if level.ack_expires_ms is not None:
        return draft.now + level.ack_expires_ms
    again = draft.now + spaced(level.respond_ms, draft.now - incident.opened_at)
    return max(incident.resolve_by, again) or draft.now + WEEK


def unacknowledge(draft: Draft, incident: Incident, why: str) -> Incident:
    """The acknowledgement ran out: it is nobody's again."""
    incident = msgspec.structs.replace(incident, phase=Phase.TRIGGERED, changed_at=draft.now)
    draft.note(incident.id, f"acknowledgement by {incident.acknowledged_by} expired", Reason(text=why))
    return escalation.page(draft, incident, why)


def expire(draft: Draft, incident: Incident) -> Incident:
    """It was acknowledged long ago and is still open. Nobody else hears of it while only the first step is asked."""
    incident = unacknowledge(draft, incident, "it was acknowledged and is still not resolved")
    incident = msgspec.structs.replace(incident, asked_again=_paged_now(draft, incident))
    draft.put_incident(incident)
    return incident


def _paged_now(draft: Draft, incident: Incident) -> list[str]:
    """Contacts whom this entry pages."""
    known = draft.state.tables[Table.DELIVERY]
    new = [each for each in draft.changed_deliveries() if each.id not in known]
    pages = [each for each in new if each.incident == incident.id and each.purpose is Purpose.PAGE]
    return list(dict.fromkeys(each.contact for each in pages))
