"""An incident's life: opened, joined, acknowledged, resolved, reopened, retired."""

from dataclasses import dataclass

import msgspec

from routing import automation, escalation, notify, render, routes, silences
from routing.decision import Table
from routing.draft import Draft
from routing.entry import Opened
from routing.incident import Deploy, Incident, Phase
from routing.instant import DAY
from routing.policy import Route
from routing.reason import Reason
from routing.run import Run
from routing.severity import Severity
from routing.timer import Wake

WEEK_MS = 7 * DAY


@dataclass(frozen=True, slots=True)
class Opening:
    """What an incident is opened with."""

    title: str
    summary: str
    severity: Severity
    team: str
    service: str
    labels: dict[str, str]
    reasons: tuple[Reason, ...]
    alerts: int = 1


def open_incident(draft: Draft, route: Route, opening: Opening) -> Incident:
    """Open it, name the suspect, start the runbook, and page now or when the hold ends."""
    number = int(draft.fact("incidents") or "0") + 1
    draft.put_fact("incidents", str(number))
    level = draft.policy.levels[opening.severity]
    policy = draft.policy.escalations[route.escalation]
    incident = Incident(
        id=f"INC-{number}",
        number=number,
        title=opening.title,
        severity=opening.severity,
        phase=Phase.TRIGGERED,
        group=routes.group_key(route, opening.labels),
        opened_at=draft.now,
        changed_at=draft.now,
        summary=opening.summary,
        team=opening.team,
        service=opening.service,
        labels=opening.labels,
        route=route.name,
        policy_version=draft.policy.version,
        respond_by=draft.now + level.respond_ms,
        resolve_by=draft.now + level.resolve_ms if level.resolve_ms else 0,
        escalation=escalation.begin(policy),
        firing=opening.alerts,
        alerts=opening.alerts,
        events=opening.alerts,
        suspect=suspect(draft, opening.service),
    )
    routed = Reason(
        text=f"routed to {route.escalation}", rule=f"route {route.name}", origin=str(route.origin)
    )
    draft.note(incident.id, f"opened as {incident.severity}: {incident.title}", *opening.reasons, routed)
    if incident.suspect is not None:
        draft.note(
            incident.id,
            f"suspect: {render.suspicion(incident, draft.now)}",
            Reason(text="the latest production deployment of this service went live shortly before"),
        )
    _watch_clock(draft, incident)
    return respond(draft, incident, opening.labels)


def respond(draft: Draft, incident: Incident, labels: dict[str, str]) -> Incident:
    """Silence, repair or page: what happens to an incident that nobody has taken yet."""
    hush = silences.covering(draft, labels)
    if hush is not None:
        draft.note(incident.id, f"not paged: {hush.reason.text}", hush.reason)
        incident = msgspec.structs.replace(incident, silenced_by=hush.id)
        return _hold(draft, incident, hush.until_at, f"page when silence {hush.id} ends")
    incident = msgspec.structs.replace(incident, silenced_by="")
    incident, run = automation.start(draft, incident, labels)
    level = draft.policy.levels[incident.severity]
    if run is None:
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
    """Stop waiting: the page goes out now."""
    draft.unwake(Wake.HOLD, incident.id)
    if incident.phase is not Phase.TRIGGERED:
        return incident
    return escalation.page(draft, msgspec.structs.replace(incident, held_until=0), why)


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


def resolve(draft: Draft, incident: Incident, by: str, what: str, *reasons: Reason) -> Incident:
    """It is over: every clock stops, everyone who was paged is told, whatever is silenced."""
    if incident.phase is Phase.RESOLVED:
        return incident
    incident = msgspec.structs.replace(
        incident,
        phase=Phase.RESOLVED,
        group="",
        resolved_at=draft.now,
        resolved_by=by,
        changed_at=draft.now,
        firing=0,
        held_until=0,
    )
    escalation.stop(draft, incident)
    for wake in (Wake.RESOLVE_BY, Wake.QUIET):
        draft.unwake(wake, incident.id)
    notify.cancel_pages(draft, incident, f"resolved by {by}")
    incident = automation.stop_all(draft, incident, f"the incident was resolved by {by}")
    draft.note(incident.id, what, *reasons, by=by)
    draft.wake(
        Wake.RETIRE,
        incident.id,
        draft.now + draft.policy.retire_ms,
        incident=incident.id,
        what="move to the archive",
    )
    draft.put_incident(incident)
    if incident.paged:
        return notify.tell_all_paged(draft, incident, f"Resolved: {incident.title} ({what})")
    return inform(draft, incident, f"Resolved: {incident.title} ({what})")


def inform(draft: Draft, incident: Incident, what: str) -> Incident:
    """Tell quietly those the route names, when nobody was paged."""
    route = routes.by_name(draft.policy, incident.route)
    for kind, name in route.inform if route else ():
        found, _ = escalation.resolve_target(draft, kind, name)
        contact = draft.policy.contacts.get(found)
        if contact is not None:
            incident = notify.tell(draft, incident, contact, what)
    return incident


def reopen(draft: Draft, incident: Incident, labels: dict[str, str], group: str, *why: Reason) -> Incident:
    """The same problem is back within the reopen window: the same incident, paged again."""
    level = draft.policy.levels[incident.severity]
    incident = msgspec.structs.replace(
        incident,
        phase=Phase.TRIGGERED,
        group=group,
        resolved_at=0,
        resolved_by="",
        changed_at=draft.now,
        respond_by=draft.now + level.respond_ms,
        resolve_by=draft.now + level.resolve_ms if level.resolve_ms else 0,
        reopened=incident.reopened + 1,
    )
    draft.unwake(Wake.RETIRE, incident.id)
    draft.note(incident.id, "reopened: it is back", *why)
    _watch_clock(draft, incident)
    return respond(draft, incident, labels)


def worsen(
    draft: Draft, incident: Incident, severity: Severity, labels: dict[str, str], *reasons: Reason
) -> Incident:
    """The higher severity wins: new clocks, its own repair, and whoever is on call for it is paged.

    `labels` are those of the alert that made it worse: its runbook, and whether it is silenced.
    """
    level = draft.policy.levels[severity]
    incident = msgspec.structs.replace(
        incident,
        severity=severity,
        changed_at=draft.now,
        respond_by=draft.now + level.respond_ms,
        resolve_by=draft.now + level.resolve_ms if level.resolve_ms else 0,
    )
    draft.note(incident.id, f"raised to {severity}", *reasons)
    matched = routes.match(draft.policy, {**incident.labels, "severity": str(severity)})
    policy = draft.policy.escalations[matched[0].route.escalation]
    incident = msgspec.structs.replace(
        incident, escalation=escalation.begin(policy), route=matched[0].route.name
    )
    _watch_clock(draft, incident)
    draft.put_incident(incident)
    if incident.phase is Phase.ACKNOWLEDGED:
        incident, _ = automation.start(draft, incident, labels)
        return unacknowledge(draft, incident, f"it got worse: {severity}")
    if incident.held_until and level.hold_ms and not incident.silenced_by:
        return incident
    return respond(draft, incident, labels)


def unmuted(draft: Draft, incident: Incident, labels: dict[str, str]) -> Incident:
    """An alert has joined: what nobody silenced must not wait for the end of another's silence."""
    if not incident.silenced_by or incident.phase is not Phase.TRIGGERED:
        return incident
    if silences.covering(draft, labels) is not None:
        return incident
    silence = incident.silenced_by
    draft.note(incident.id, f"silence {silence} holds it no longer: it does not cover what has joined")
    draft.unwake(Wake.HOLD, incident.id)
    return respond(draft, msgspec.structs.replace(incident, held_until=0), labels)


def retire(draft: Draft, incident: Incident) -> None:
    """Closed for good: off to the archive, unless a follow-up still waits."""
    waiting = [followup for followup in incident.followups if not followup.done_at]
    if waiting:
        at = max(followup.remind_at for followup in waiting) + draft.policy.retire_ms
        draft.wake(Wake.RETIRE, incident.id, at, incident=incident.id, what="move to the archive")
        return
    draft.retire(incident.id)


def _watch_clock(draft: Draft, incident: Incident) -> None:
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
        return unacknowledge(draft, incident, "it is not resolved by its time")
    if incident.held_until:
        return incident
    return escalation.advance(draft, incident, "it is not resolved by its time")


def hold_over(draft: Draft, incident: Incident) -> str:
    """Why a held page goes out now."""
    running = [run for run in draft.owned(incident.id, Table.RUN, Run) if not run.phase.over]
    if running:
        return f"runbook {running[0].runbook} has not repaired it in time; it is at {running[0].phase}"
    return "what held the page back is over"


def report(draft: Draft, incident: Incident, what: str) -> Incident:
    """Tell those who were paged how the repair went; it rings nobody."""
    return notify.tell_all_paged(draft, incident, what)


def remind(draft: Draft, incident: Incident, followup_id: str) -> None:
    """A follow-up is still to be done: say so, and again after the same time."""
    followup = next((each for each in incident.followups if each.id == followup_id), None)
    if followup is None or followup.done_at:
        return
    every = followup.remind_at - followup.opened_at
    draft.wake(
        Wake.FOLLOW_UP,
        followup.id,
        draft.now + every,
        incident=incident.id,
        what=f"remind: {followup.text}",
    )
    draft.note(incident.id, f"reminder: {followup.text}")
    what = f"Still to do after {incident.id}: {followup.text}"
    if incident.paged:
        notify.tell_all_paged(draft, incident, what)
    else:
        inform(draft, incident, what)


def open_by_hand(draft: Draft, entry: Opened) -> Incident:
    """A person opens an incident that no source reported."""
    severity = Severity(entry.severity)
    labels = {
        "source": "operator",
        "kind": "manual",
        "severity": str(severity),
        "service": entry.service,
        "team": entry.team,
        "title": entry.title,
    }
    by = entry.by or "operator"
    opening = Opening(
        title=entry.title,
        summary=entry.summary,
        severity=severity,
        team=entry.team,
        service=entry.service,
        labels=labels,
        reasons=(Reason(text=f"opened by {by}"),),
        alerts=0,
    )
    matched = routes.match(draft.policy, labels)[0]
    return open_incident(draft, matched.route, opening)


def suspect(draft: Draft, service: str) -> Deploy | None:
    """The latest production deployment recent enough to be the cause, of this service where known."""
    recent = [
        deploy
        for deploy in draft.state.tables[Table.DEPLOY].values()
        if isinstance(deploy, Deploy)
        and draft.now - draft.policy.suspect_ms <= deploy.at <= draft.now
        and (not service or not deploy.service or deploy.service == service)
    ]
    return max(recent, key=lambda deploy: deploy.at, default=None)
