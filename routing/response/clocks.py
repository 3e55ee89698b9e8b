"""The clocks an incident promised to keep."""

from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.reason import Reason
from routing.response import acknowledging, escalation
from routing.timer import Wake


def watch(draft: Draft, incident: Incident) -> None:
    if incident.resolve_by:
        draft.wake(
            Wake.RESOLVE_BY,
            incident.id,
            incident.resolve_by,
            incident=incident.id,
            what="escalate if it is not resolved by then",
        )


def overdue(draft: Draft, incident: Incident) -> Incident:
    """Its resolve-by time has passed: somebody has to hear of it, acknowledged or not."""
    draft.note(incident.id, "not resolved by its time", Reason(text=f"{incident.severity} promised it"))
    if incident.phase is Phase.ACKNOWLEDGED:
        return acknowledging.unacknowledge(draft, incident, "it is not resolved by its time")
    if incident.held_until:
        return incident
    return escalation.advance(draft, incident, "it is not resolved by its time")
