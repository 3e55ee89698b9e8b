"""Promise 3 in the fold itself: every open incident has a next action with a time."""

import msgspec

from routing.draft import Draft
from routing.incident import Incident, NextAction, Phase
from routing.response import clocks
from routing.timer import Wake


def settle(draft: Draft) -> None:
    """Find the next action of every incident whose timers changed."""
    if not draft.touched:
        return
    for key in sorted(draft.touched):
        incident = draft.incident(key)
        if incident is None:
            continue
        found = next_action(draft, incident)
        if found is not incident.next_action and found != incident.next_action:
            draft.put_incident(msgspec.structs.replace(incident, next_action=found))


def next_action(draft: Draft, incident: Incident) -> NextAction | None:
    """Its earliest timer. An open incident without one is reviewed at its respond-by time, and said so."""
    first = draft.first_timer(incident.id)
    if first is not None and clocks.says_nothing(incident, first):
        first = draft.first_timer(incident.id, but={first.id}) or first
    if first is not None:
        known, what = incident.next_action, first.what or str(first.wake)
        is_known = known is not None and known.at == first.at and known.what == what
        return known if is_known else NextAction(at=first.at, what=what)
    if incident.phase is Phase.RESOLVED:
        return None
    level = draft.policy.levels[incident.severity]
    at = draft.now + level.respond_ms
    what = "page again: nothing else was planned"
    wake = Wake.ESCALATE if incident.phase is Phase.TRIGGERED else Wake.ACK_EXPIRES
    draft.wake(wake, incident.id, at, incident=incident.id, what=what)
    return NextAction(at=at, what=what)
