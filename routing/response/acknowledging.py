"""Somebody has it, for a while."""

import msgspec

from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.instant import DAY
from routing.reason import Reason
from routing.response import clocks, escalation, notify
from routing.timer import Wake

WEEK_MS = 7 * DAY


def acknowledge(draft: Draft, incident: Incident, by: str, via: str) -> Incident:
    """Somebody has it. Stops paging, tells everyone who was paged; expires if it stays unresolved."""
    if incident.phase is not Phase.TRIGGERED:
        draft.note(incident.id, f"{by} acknowledged again via {via}", by=by)
        return incident
    incident = msgspec.structs.replace(
        incident,
        phase=Phase.ACKNOWLEDGED,
        acknowledged_at=draft.now,
        acknowledged_by=by,
        changed_at=draft.now,
        held_until=0,
    )
    escalation.stop(draft, incident)
    notify.cancel_pages(draft, incident, f"acknowledged by {by}")
    draft.note(incident.id, f"acknowledged by {by} via {via}", by=by)
    expires = _ack_expires_at(draft, incident)
    draft.wake(
        Wake.ACK_EXPIRES, incident.id, expires, incident=incident.id, what="page again if it is still open"
    )
    clocks.watch(draft, incident)
    draft.put_incident(incident)
    return notify.tell_all_paged(draft, incident, f"{by} acknowledged {incident.title}")


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
