"""What happens to an incident that nobody has taken yet: silenced, repaired or paged."""

from collections.abc import Sequence

import msgspec

from routing import routes
from routing.automation import runs, starting
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.noise import grouping, mute, mutes
from routing.reason import Reason
from routing.response import acknowledging, clocks, escalation
from routing.severity import Severity
from routing.timer import Wake


def respond(draft: Draft, incident: Incident, labels: dict[str, str]) -> Incident:
    """Mute, repair, wait for its group or page: what happens to an incident that nobody has taken yet."""
    muted = mutes.covering(draft, labels)
    if muted is not None:
        return mutes.hold(draft, incident, muted)
    incident = msgspec.structs.replace(incident, silenced_by="")
    incident, run = starting.start(draft, incident, labels)
    level = draft.policy.levels[incident.severity]
    if run is None or not runs.repairs(draft, run):
        wait = grouping.wait_ms(draft.policy, incident)
        if wait:
            return _hold(draft, incident, draft.now + wait, "page: its group had time to gather")
        return escalation.page(draft, incident, "it needs a person")
    if level.hold_ms == 0:
        reason = Reason(text=f"{incident.severity} never waits for a repair")
        draft.note(incident.id, "paging and repairing at the same time", reason)
        return escalation.page(draft, incident, f"{incident.severity} never waits")
    reason = Reason(text=f"{incident.severity} repairs first, for at most {level.hold_ms // 1000} s")
    draft.note(incident.id, f"page held while runbook {run.runbook} runs", reason)
    return _hold(draft, incident, draft.now + level.hold_ms, "page if the repair has not succeeded by then")


def _hold(draft: Draft, incident: Incident, until: int, what: str) -> Incident:
    incident = msgspec.structs.replace(incident, held_until=until)
    draft.wake(Wake.HOLD, incident.id, until, incident=incident.id, what=what)
    draft.put_incident(incident)
    return incident


def release_hold(draft: Draft, incident: Incident, why: str) -> Incident:
    """Stop waiting: the page goes out now, unless something mutes it."""
    draft.unwake(Wake.HOLD, incident.id)
    if not escalation.is_waiting_for_ack(incident):
        return incident
    muted = mutes.over(draft, incident)
    if muted is not None:
        return mutes.hold(draft, incident, muted)
    return escalation.page(draft, msgspec.structs.replace(incident, held_until=0), why)


def hold_over(draft: Draft, incident: Incident) -> str:
    """Why a held page goes out now."""
    running = [run for run in runs.active(draft, incident) if runs.repairs(draft, run)]
    if running:
        return f"runbook {running[0].runbook} has not repaired it in time; it is at {running[0].phase}"
    if incident.silenced_by:
        return f"{mute.name_of(incident.silenced_by)} holds it no longer"
    return "what held the page back is over"


def withstands(incident: Incident, severity: Severity, reasons: Sequence[Reason]) -> bool:
    """Whether a person has lowered it, and nothing but what had raised it before asks to raise it again."""
    if incident.lowered_from is None or severity < incident.lowered_from:
        return False
    return all(reason.rule in incident.overruled for reason in reasons)


def worsen(
    draft: Draft,
    incident: Incident,
    severity: Severity,
    labels: dict[str, str],
    *reasons: Reason,
    by: str = "",
) -> Incident:
    """The higher severity wins: new clocks, its own repair, and whoever is on call for it is paged. `by`: who says so.

    `labels` are those of the alert that made it worse: its runbook, and whether it is silenced.
    """
    if incident.merged_into or withstands(incident, severity, reasons):
        return incident
    level = draft.policy.levels[severity]
    graded_by = dict.fromkeys((*incident.graded_by, *(reason.rule for reason in reasons if reason.rule)))
    incident = msgspec.structs.replace(
        incident,
        severity=severity,
        graded_by=list(graded_by),
        changed_at=draft.now,
        respond_by=draft.now + level.respond_ms,
        resolve_by=clocks.resolve_by(draft, severity),
        snoozed_until=0,
    )
    draft.unwake(Wake.SNOOZE, incident.id)
    draft.note(incident.id, f"raised to {severity}", *reasons, by=by)
    matched = routes.match(draft.policy, {**incident.labels, "severity": str(severity)})
    policy = draft.policy.escalations[matched[0].route.escalation]
    incident = msgspec.structs.replace(incident, escalation=policy.begun, route=matched[0].route.name)
    clocks.watch(draft, incident)
    draft.put_incident(incident)
    if incident.phase is Phase.ACKNOWLEDGED:
        incident, _ = starting.start(draft, incident, labels)
        return acknowledging.unacknowledge(draft, incident, f"it got worse: {severity}")
    repairing = incident.held_until and not incident.silenced_by and not grouping.is_waiting(draft, incident)
    if repairing and level.hold_ms:
        return incident
    return respond(draft, incident, labels)


def unmuted(draft: Draft, incident: Incident, labels: dict[str, str]) -> Incident:
    """An alert has joined: what nothing mutes must not wait for the end of what mutes another."""
    if not incident.silenced_by or incident.phase is not Phase.TRIGGERED:
        return incident
    if mutes.covering(draft, labels) is not None:
        return incident
    holder = mute.name_of(incident.silenced_by)
    draft.note(incident.id, f"{holder} holds it no longer: it does not cover what has joined")
    draft.unwake(Wake.HOLD, incident.id)
    return respond(draft, msgspec.structs.replace(incident, held_until=0), labels)
