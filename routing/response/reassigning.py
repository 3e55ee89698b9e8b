"""A person hands an incident to somebody else: they are paged, the others told."""

import msgspec

from routing.draft import Draft
from routing.escalation import Stage, Target
from routing.incident import Incident, Phase
from routing.response import callees, escalation, notify, sending, snoozing


def reassign(draft: Draft, incident: Incident, to: str, by: str, via: str) -> Incident:
    """`to` is "contact:anna", "team:payments" or "schedule:primary". The policy's own steps follow it."""
    kind, _, name = to.partition(":")
    found = callees.resolve(draft, ((kind, name),))
    if not found.people:
        why = "; ".join(gap.text for gap in found.gaps) or "there is no such"
        draft.note(incident.id, f"{by} asked to reassign it to {to}: {why}; nothing has changed", by=by)
        return incident
    names = ", ".join(each.contact.title for each in found.people)
    draft.note(incident.id, f"reassigned to {names} by {by} via {via}", by=by)
    escalation.stop(draft, incident)
    incident = snoozing.wake_up(draft, incident)
    incident = msgspec.structs.replace(
        _with_step(draft, incident, kind, name, by),
        phase=Phase.TRIGGERED,
        held_until=0,
        silenced_by="",
        changed_at=draft.now,
    )
    draft.put_incident(incident)
    sending.cancel_pages(draft, incident, f"reassigned by {by}")
    new = {each.contact.name for each in found.people}
    others = [each for each in incident.paged if each not in new]
    incident = escalation.page(draft, incident, f"{by} reassigned it to {names}")
    return notify.tell_each(draft, incident, others, f"{by} reassigned {incident.title} to {names}")


def _with_step(draft: Draft, incident: Incident, kind: str, name: str, by: str) -> Incident:
    """The new owner before the steps it began with; an earlier reassignment gives way."""
    steps = incident.escalation
    if steps is None:
        return incident
    own = [stage for stage in steps.stages if not stage.by]
    wait = own[0].wait_ms if own else draft.policy.levels[incident.severity].respond_ms
    first = Stage(targets=[Target(kind=kind, name=name)], wait_ms=wait, origin=f"reassigned by {by}", by=by)
    return msgspec.structs.replace(incident, escalation=msgspec.structs.replace(steps, stages=[first, *own]))
