"""Mutes: whether anything holds the page for some labels, or for a whole incident, back now."""

from collections.abc import Mapping

import msgspec

from routing.decision import Table
from routing.draft import Draft
from routing.incident import Alert, Incident, Phase
from routing.instant import MINUTE
from routing.noise import inhibition, maintenance, silences
from routing.noise.mute import Mute, name_of
from routing.policy import Tie
from routing.reason import Reason
from routing.timer import Wake

CAUSE_GRACE_MS = 2 * MINUTE
"""An effect may outlast its cause by so much before somebody is paged for it."""


def covering(draft: Draft, labels: Mapping[str, str]) -> Mute | None:
    """What mutes an alert with these labels."""
    return (
        silences.covering(draft, labels)
        or maintenance.covering(draft, labels)
        or inhibition.covering(draft, labels)
    )


def over(draft: Draft, incident: Incident) -> Mute | None:
    """What mutes the whole incident: its open cause, or what covers each of its firing alerts."""
    if (mute := _by_cause(draft, incident)) is not None:
        return mute
    mute = own = covering(draft, incident.labels)
    alerts = [each for each in draft.owned(incident.id, Table.ALERT, Alert) if each.firing]
    for alert in alerts:
        found = own if alert.labels == incident.labels else covering(draft, alert.labels)
        if found is None:
            return None
        mute = mute if found is own else found
    return mute


def look_again(draft: Draft, *keys: str) -> None:
    """What these mutes hold back is looked at again, in a moment and on its own."""
    for key in keys:
        for held in sorted(draft.state.held.get(key, ())):
            what = f"page, unless something still holds it: {name_of(key)} has changed"
            draft.wake(Wake.HOLD, held, draft.now, incident=held, what=what)


def lifted(draft: Draft, incident: Incident) -> None:
    """An incident is over: what it held back, as a cause or by an alert that inhibits, is looked at again."""
    held = draft.state.held
    inhibited = [key for key, incidents in held.items() if incidents and key.startswith(f"{Tie.INHIBITS}/")]
    look_again(draft, f"cause/{incident.id}", *sorted(inhibited))


def _by_cause(draft: Draft, incident: Incident) -> Mute | None:
    cause = draft.incident(incident.cause) if incident.cause else None
    if cause is None:
        return None
    reason = Reason(text=f"it is an effect of {cause.id}, {cause.title}")
    if _is_muted(draft, cause):
        return None
    if cause.phase is not Phase.RESOLVED:
        return Mute(f"cause/{cause.id}", 0, reason)
    until = cause.resolved_at + CAUSE_GRACE_MS
    return Mute(f"cause/{cause.id}", until, reason) if draft.now < until else None


def _is_muted(draft: Draft, incident: Incident | None) -> bool:
    """Whether it, or what is its cause in turn, is held by anything else: then nobody hears of its effects by it."""
    while incident is not None and incident.phase is Phase.TRIGGERED and incident.silenced_by:
        if incident.silenced_by != f"cause/{incident.cause}":
            return True
        incident = draft.incident(incident.cause)
    return False


def hold(draft: Draft, incident: Incident, mute: Mute) -> Incident:
    """Hold the page back while it is muted: until its end, or until the next look."""
    level = draft.policy.levels[incident.severity]
    until = mute.until_at or draft.now + level.respond_ms
    what = f"page when {mute.name} ends" if mute.until_at else f"look whether {mute.name} still holds it"
    if incident.silenced_by != mute.key:
        draft.note(incident.id, f"not paged: {mute.reason.text}", mute.reason)
        look_again(draft, f"cause/{incident.id}")
    incident = msgspec.structs.replace(incident, silenced_by=mute.key, held_until=until)
    draft.wake(Wake.HOLD, incident.id, until, incident=incident.id, what=what)
    draft.put_incident(incident)
    return incident
