"""Two incidents turn out to be one: alerts move, the merged one ends, and everyone paged is told which it is now.

An incident may have 100,000 alerts, so they move in parts; until the last has moved, the merged one stays open
with a timer, and pages nobody.
"""

import msgspec

from routing.automation import ending
from routing.decision import Table
from routing.draft import Draft
from routing.incident import Alert, Incident, Phase
from routing.reason import Reason
from routing.response import escalation, notify, responding, sending
from routing.timer import Wake

AT_ONCE = 500
"""Alerts moved by one entry: a batch that takes long keeps others waiting."""


def merge(draft: Draft, incident: Incident, into: str, by: str, via: str) -> None:
    """The alerts of `incident` go to `into`, which answers for them from now on."""
    target = _surviving(draft, into)
    refused = _refusal(incident, target, into)
    if target is None or refused:
        draft.note(incident.id, f"{by} asked to merge it into {into}: {refused}; nothing has changed", by=by)
        return
    draft.note(incident.id, f"merged into {target.id} by {by} via {via}", by=by)
    draft.note(target.id, f"{incident.id} was merged into it by {by} via {via}: {incident.title}", by=by)
    escalation.stop(draft, incident)
    for wake in (Wake.CLOCK, Wake.RESOLVE_BY, Wake.PROMOTE, Wake.QUIET, Wake.NEWS, Wake.REPEAT):
        draft.unwake(wake, incident.id)
    groups = dict.fromkeys([*target.also, incident.group, *incident.also])
    incident = msgspec.structs.replace(
        incident, merged_into=target.id, group="", also=[], held_until=0, snoozed_until=0,
        changed_at=draft.now,
    )  # fmt: skip
    draft.put_incident(incident)
    sending.cancel_pages(draft, incident, f"merged into {target.id}")
    incident = ending.stop_all(draft, incident, f"the incident was merged into {target.id}")
    draft.put_incident(incident)
    draft.put_incident(
        msgspec.structs.replace(target, also=[each for each in groups if each and each != target.group])
    )
    _tell(draft, incident, by)
    go_on(draft, draft.incident(incident.id) or incident)


def surviving(draft: Draft, incident: Incident) -> Incident:
    """The incident that answers for this one now."""
    return _surviving(draft, incident.merged_into) or incident if incident.merged_into else incident


def go_on(draft: Draft, incident: Incident) -> None:
    """Move the next alerts; after the last, the merged incident is over."""
    target = _surviving(draft, incident.merged_into)
    if target is None:
        _go_alone(draft, incident)
        return
    keys = sorted(draft.state.keys_of(incident.id, Table.ALERT))
    alerts = [each for key in keys[:AT_ONCE] if (each := draft.alert(key)) is not None]
    moving = [each for each in alerts if each.incident == incident.id]
    for alert in moving:
        _move(draft, alert, target.id)
    target = _worse(draft, target, moving)
    firing = sum(each.firing for each in moving) if target.phase is not Phase.RESOLVED else 0
    draft.put_incident(
        msgspec.structs.replace(
            target,
            firing=target.firing + firing,
            alerts=target.alerts + len(moving),
            events=target.events + sum(each.count for each in moving),
        )
    )
    incident = msgspec.structs.replace(incident, firing=max(0, incident.firing - firing))
    draft.put_incident(incident)
    if len(keys) > AT_ONCE:
        what = f"move the other alerts to {target.id}"
        draft.wake(Wake.MERGE, incident.id, draft.now, incident=incident.id, what=what)
    else:
        _end(draft, incident)


def _go_alone(draft: Draft, incident: Incident) -> None:
    """What it was merged into has gone to the archive before all had moved: it is an incident of its own again."""
    why = f"{incident.merged_into}, which it was merged into, is in the archive"
    escalation.page(draft, msgspec.structs.replace(incident, merged_into=""), why)


def _surviving(draft: Draft, name: str) -> Incident | None:
    """The incident of that name, or what it was merged into in turn."""
    found = draft.incident(name)
    while found is not None and found.merged_into:
        found = draft.incident(found.merged_into)
    return found


def _refusal(incident: Incident, target: Incident | None, into: str) -> str:
    if target is None:
        return f"there is no incident {into}"
    if target.id == incident.id:
        return "that is this one"
    if target.phase is Phase.RESOLVED:
        return f"{target.id} is resolved"
    return ""


def _tell(draft: Draft, incident: Incident, by: str) -> None:
    """Whoever was paged for it hears what has it now, and is owed the end of that."""
    target = draft.incident(incident.merged_into)
    if target is None:
        return
    said = f"{incident.title} goes on as {target.id}, {target.title}: {by} merged them"
    notify.tell_all_paged(draft, incident, said)
    paged = list(dict.fromkeys([*target.paged, *incident.paged]))
    draft.put_incident(msgspec.structs.replace(draft.incident(target.id) or target, paged=paged))


def _worse(draft: Draft, target: Incident, moving: list[Alert]) -> Incident:
    """The worse of two severities is that of both; while nobody has the target, its own paging goes on."""
    target = draft.incident(target.id) or target
    worst = min((each for each in moving if each.firing), key=lambda each: each.severity, default=None)
    if worst is None or worst.severity >= target.severity:
        return target
    why = Reason(text=f"{worst.title}, which came with the merge, is {worst.severity}")
    return responding.worsen(draft, target, worst.severity, worst.labels, why)


def _move(draft: Draft, alert: Alert, target: str) -> None:
    """From one incident's records to the other's: a second copy could come back when the state is loaded."""
    draft.drop(Table.ALERT, alert.fingerprint, alert.incident)
    draft.put_alert(msgspec.structs.replace(alert, incident=target))
    for wake in (Wake.EXPIRE, Wake.QUIET):
        timer = draft.timer(wake, f"{alert.incident}/{alert.fingerprint}")
        if timer is not None:
            draft.unwake(wake, timer.subject)
            subject = f"{target}/{alert.fingerprint}"
            draft.wake(wake, subject, timer.at, incident=target, what=timer.what)


def _end(draft: Draft, incident: Incident) -> None:
    draft.put_incident(
        msgspec.structs.replace(
            incident,
            phase=Phase.RESOLVED,
            asked_again=[],
            resolved_at=draft.now,
            resolved_by=f"merge into {incident.merged_into}",
            changed_at=draft.now,
            firing=0,
        )
    )
    draft.wake(
        Wake.RETIRE,
        incident.id,
        draft.now + draft.policy.retire_ms,
        incident=incident.id,
        what="move to the archive",
    )
