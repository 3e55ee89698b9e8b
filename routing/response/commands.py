"""Commands: what people want of an incident, however they said it. What no longer applies is only noted."""

from collections.abc import Callable

import msgspec

from routing.automation import repairs, starting, undoing
from routing.draft import Draft
from routing.entry import Command, Verb
from routing.incident import Incident, Phase
from routing.response import (
    acknowledging,
    closing,
    escalation,
    following,
    followups,
    merging,
    reassigning,
    snoozing,
    speakers,
)
from routing.response.process import cadence, roles
from routing.timer import Wake


def command(draft: Draft, entry: Command) -> None:
    """A person acts on an incident from the command line or the API."""
    incident = draft.incident(entry.incident)
    if incident is None:
        return
    by = speakers.name_of(draft.policy, entry.who) if entry.who else entry.by or "operator"
    via = entry.via or "the command line"
    if entry.verb in _STANDING:
        _special(draft, incident, entry, by, via)
    elif entry.verb in _SAID or entry.verb in _TO or entry.verb in {Verb.SNOOZE, Verb.ROLE, Verb.RUN}:
        if open_ := _open(draft, incident, entry.verb, by, via):
            _special(draft, open_, entry, by, via)
    else:
        act(draft, incident, entry.verb, by, via, entry.text)


def _special(draft: Draft, incident: Incident, entry: Command, by: str, via: str) -> None:
    """What needs more than a word."""
    if entry.verb is Verb.RUN:
        starting.start_by_hand(draft, incident, entry.text, by, via, entry.inputs)
    elif entry.verb is Verb.SNOOZE:
        snoozing.snooze(draft, incident, entry.until_at, by, via)
    elif entry.verb is Verb.ROLE:
        roles.hand_over(draft, incident, entry.text, entry.to, by, via)
    elif entry.verb is Verb.LEAVE:
        undoing.leave(draft, incident, entry.text, entry.reason, by, via)
    elif entry.verb in _TO:
        _TO[entry.verb](draft, incident, entry.to, by, via)
    else:
        _SAID[entry.verb](draft, incident, entry.text, by, via)


def act(draft: Draft, incident: Incident, verb: Verb, by: str, via: str, text: str = "") -> None:
    """Carry out what needs no more than a word."""
    if verb is Verb.NOTE:
        draft.note(incident.id, f"note: {text}", by=by)
    elif verb is Verb.DONE:
        _done(draft, incident, by, text)
    elif open_ := _open(draft, incident, verb, by, via):
        _WORDS[verb](draft, open_, by, via)


def _open(draft: Draft, incident: Incident, verb: Verb, by: str, via: str) -> Incident | None:
    """The incident that answers for this one, if it is still open."""
    found = merging.surviving(draft, incident)
    if found.id != incident.id:
        draft.note(incident.id, f"{by} asked to {verb} via {via}; that is {found.id} now", by=by)
    if found.phase is not Phase.RESOLVED:
        return found
    draft.note(found.id, f"{by} asked to {verb} via {via}; it was already resolved", by=by)
    return None


def _acknowledge(draft: Draft, incident: Incident, by: str, via: str) -> None:
    acknowledging.acknowledge(draft, incident, by, via)


def _resolve(draft: Draft, incident: Incident, by: str, via: str) -> None:
    closing.resolve(draft, incident, by, f"resolved by {by} via {via}")


def _escalate(draft: Draft, incident: Incident, by: str, via: str) -> None:
    draft.note(incident.id, f"escalated by {by} via {via}", by=by)
    draft.unwake(Wake.ACK_EXPIRES, incident.id)
    draft.unwake(Wake.HOLD, incident.id)
    incident = snoozing.wake_up(draft, incident)
    incident = msgspec.structs.replace(
        incident, phase=Phase.TRIGGERED, held_until=0, silenced_by="", changed_at=draft.now
    )
    incident = escalation.advance(draft, incident, f"{by} asked to escalate", at_once=True)
    following.tell(draft, incident, f"Escalated by {by}: {incident.title}")


def _done(draft: Draft, incident: Incident, by: str, which: str) -> None:
    kept = []
    for followup in incident.followups:
        if not followup.done_at and which in {"", followup.id}:
            followups.done(draft, incident, followup, by)
            followup = msgspec.structs.replace(followup, done_at=draft.now)  # noqa: PLW2901
        kept.append(followup)
    draft.put_incident(msgspec.structs.replace(incident, followups=kept))


Saying = Callable[[Draft, Incident, str, str, str], object]
"""What a verb does with one text that goes with it, by whom and by which way."""

_WORDS: dict[Verb, Callable[[Draft, Incident, str, str], None]] = {
    Verb.ACK: _acknowledge,
    Verb.RESOLVE: _resolve,
    Verb.ESCALATE: _escalate,
}
_SAID: dict[Verb, Saying] = {
    Verb.STATUS: cadence.status,
    Verb.APPROVE: repairs.approved,
    Verb.DENY: repairs.denied,
    Verb.UNDO: undoing.by_hand,
}
_TO: dict[Verb, Saying] = {Verb.REASSIGN: reassigning.reassign, Verb.MERGE: merging.merge}
_STANDING = frozenset({Verb.UNDO, Verb.LEAVE})
"""What is resolved may still have changes that stand."""
