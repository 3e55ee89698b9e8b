"""Somebody has it, for a while."""

import msgspec

from routing.decision import Table
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.instant import DAY
from routing.reason import Reason
from routing.response import clocks, escalation, notify, sending
from routing.timer import Timer, Wake

WEEK_MS = 7 * DAY


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
    incident = msgspec.structs.replace(
        incident,
        phase=Phase.ACKNOWLEDGED,
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
    return notify.tell_all_paged(draft, incident, f"{by} acknowledged {incident.title}")


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
    return max(incident.resolve_by, draft.now + level.respond_ms) or draft.now + WEEK_MS


def unacknowledge(draft: Draft, incident: Incident, why: str) -> Incident:
    """The acknowledgement ran out: it is nobody's again."""
    incident = msgspec.structs.replace(incident, phase=Phase.TRIGGERED, changed_at=draft.now)
    draft.note(incident.id, f"acknowledgement by {incident.acknowledged_by} expired", Reason(text=why))
    return escalation.page(draft, incident, why)
