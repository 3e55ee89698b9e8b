"""Speakers: who it was that pressed a button in a room, or wrote a command there."""

from routing.draft import Draft
from routing.entry import Speaker, Verb
from routing.incident import Incident
from routing.policy import Policy
from routing.run import Run, RunPhase


def name_of(policy: Policy, speaker: Speaker) -> str:
    """The contact who is reached at that address over a channel of this vendor, or else their name there."""
    ways = {name for name, channel in policy.channels.items() if channel.vendor == speaker.vendor}
    for contact in policy.contacts.values():
        if any(each.channel in ways and each.address == speaker.id for each in contact.methods):
            return contact.name
    return f"{speaker.name or speaker.id} ({speaker.vendor.title()})"


def for_room(draft: Draft, incident: Incident, run: str, verb: Verb, by: str, room: str) -> str:
    """In whose name the answer counts: where a room was asked, or its acknowledgement is awaited, in the room's.

    An approval in the room's name is not given by who started the run, nor by somebody who is not configured.
    """
    if verb is Verb.APPROVE:
        found = _asking(draft, run)
        asked = found.approval.asked if found and found.approval else []
        known = by in draft.policy.contacts and (found is None or by != found.requested_by)
        speaks = by not in asked and room in asked and known
    else:
        awaited = incident.escalation.awaited if incident.escalation else []
        speaks = verb is Verb.ACK and by not in awaited and room in awaited
    if not speaks:
        return by
    draft.note(incident.id, f"{by} answers for {room}", by=by)
    return room


def _asking(draft: Draft, run: str) -> Run | None:
    found = draft.run(run) if run else None
    return found if found is not None and found.phase is RunPhase.WAITING else None
