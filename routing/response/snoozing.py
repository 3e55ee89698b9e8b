"""A person puts an incident off: nobody is paged until then, and then it is paged again."""

import msgspec

from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.instant import iso
from routing.response import acknowledging, escalation, notify, responding, sending
from routing.timer import Wake


def snooze(draft: Draft, incident: Incident, until_at: int, by: str, via: str) -> Incident:
    """Nobody is paged before `until_at` (ms), unless it gets worse or a person wants it."""
    if until_at <= draft.now:
        draft.note(incident.id, f"{by} asked to snooze it until {iso(until_at)}, which is over", by=by)
        return incident
    escalation.stop(draft, incident)
    incident = msgspec.structs.replace(
        incident, snoozed_until=until_at, held_until=0, silenced_by="", changed_at=draft.now
    )
    draft.put_incident(incident)
    sending.cancel_pages(draft, incident, f"snoozed by {by}")
    draft.note(incident.id, f"snoozed by {by} via {via} until {iso(until_at)}", by=by)
    what = f"page again: {by}'s snooze is over"
    draft.wake(Wake.SNOOZE, incident.id, until_at, incident=incident.id, what=what)
    incident = escalation.respond_later(draft, incident, until_at)
    return notify.tell_all_paged(draft, incident, f"{by} snoozed {incident.title} until {iso(until_at)}")


def over(draft: Draft, incident: Incident) -> Incident:
    """It was put off until now, and is still open."""
    incident = wake_up(draft, incident)
    if incident.phase is Phase.ACKNOWLEDGED:
        return acknowledging.unacknowledge(draft, incident, "it was snoozed until now, and is still open")
    return responding.release_hold(draft, incident, "it was snoozed until now, and is still open")


def wake_up(draft: Draft, incident: Incident) -> Incident:
    """It is put off no longer."""
    draft.unwake(Wake.SNOOZE, incident.id)
    return msgspec.structs.replace(incident, snoozed_until=0)
