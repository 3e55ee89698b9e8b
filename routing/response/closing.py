"""An incident is over, comes back, or is closed for good."""

import msgspec

from routing.automation import ending, guards
from routing.decision import Table
from routing.delivery import Delivery
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.instant import HOUR
from routing.noise import grouping, mute, mutes
from routing.reason import Reason
from routing.response import clocks, escalation, informing, notify, responding, sending
from routing.run import Run, TargetRecord
from routing.timer import Timer, Wake


def resolve(draft: Draft, incident: Incident, by: str, what: str, *reasons: Reason) -> Incident:
    """It is over: every clock stops, everyone who was paged is told, whatever is silenced."""
    if incident.phase is Phase.RESOLVED or incident.merged_into:
        return incident
    before = incident
    unheard = _unheard(draft, incident, by)
    incident = msgspec.structs.replace(
        incident,
        phase=Phase.RESOLVED,
        asked_again=[],
        group="",
        also=[],
        flapping=0,
        changed=[],
        silenced_by="",
        informed=False,
        resolved_at=draft.now,
        resolved_by=by,
        changed_at=draft.now,
        firing=0,
        held_until=0,
        snoozed_until=0,
    )
    escalation.stop(draft, incident)
    for wake in (Wake.CLOCK, Wake.RESOLVE_BY, Wake.PROMOTE, Wake.QUIET, Wake.NEWS, Wake.REPEAT):
        draft.unwake(wake, incident.id)
    mutes.lifted(draft, incident)
    sending.cancel_pages(draft, incident, f"resolved by {by}")
    incident = ending.stop_all(draft, incident, f"the incident was resolved by {by}")
    draft.note(incident.id, what, *reasons, by=by)
    draft.wake(
        Wake.RETIRE,
        incident.id,
        draft.now + draft.policy.retire_ms,
        incident=incident.id,
        what="move to the archive",
    )
    draft.put_incident(incident)
    if unheard:
        draft.note(incident.id, f"nobody is told: {unheard}")
        return incident
    said = f"Resolved: {incident.title} ({what})"
    incident = notify.tell_all_paged(draft, incident, said)
    if incident.paged and not before.informed:
        return incident
    return informing.inform(draft, incident, said, but=incident.paged)


def _unheard(draft: Draft, incident: Incident, by: str) -> str:
    """Why an end that its source reports is told to nobody: nobody has heard of the beginning. "" otherwise."""
    if by != "source" or incident.paged or incident.informed:
        return ""
    if incident.silenced_by:
        return f"{mute.name_of(incident.silenced_by)} held it, and nobody had heard of it"
    return "it was over before its group's wait was" if grouping.is_waiting(draft, incident) else ""


def all_ended(draft: Draft, incident: Incident, by: str, why: Reason) -> Incident:
    """The last of its alerts has ended: it is over, unless a person opened it for what no alert tells of."""
    if not incident.opened_by:
        return resolve(draft, incident, by, "all its alerts are resolved", why)
    what = f"all its alerts are resolved; it stays open until a person resolves it, for {incident.opened_by} opened it"
    draft.note(incident.id, what, why)
    return notify.tell_all_paged(draft, incident, f"{incident.title}: {what}")


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
        resolve_by=clocks.resolve_by(draft, incident.severity),
        reopened=incident.reopened + 1,
        cause="",
    )
    draft.unwake(Wake.RETIRE, incident.id)
    draft.note(incident.id, "reopened: it is back", *why)
    clocks.watch(draft, incident)
    informing.watch(draft, incident)
    return responding.respond(draft, incident, labels)


def retire(draft: Draft, incident: Incident) -> None:
    """Closed for good: off to the archive, unless a follow-up still waits, or something is still under way."""
    waiting = [followup for followup in incident.followups if not followup.done_at]
    if waiting:
        at = max(draft.now, *(followup.remind_at for followup in waiting)) + draft.policy.retire_ms
    elif _under_way(draft, incident):
        at = draft.now + min(draft.policy.retire_ms, HOUR)
    else:
        _forget_targets(draft, incident)
        draft.retire(incident.id)
        return
    draft.wake(Wake.RETIRE, incident.id, at, incident=incident.id, what="move to the archive")


def _forget_targets(draft: Draft, incident: Incident) -> None:
    """A target may be the incident's own, and is then never met again."""
    for run in draft.owned(incident.id, Table.RUN, Run):
        key = f"{run.runbook}@{run.target}"
        record = draft.find(Table.TARGET, key, TargetRecord)
        if record is not None and guards.says_nothing(record, draft.now):
            draft.drop(Table.TARGET, key)


def _under_way(draft: Draft, incident: Incident) -> bool:
    """What is in the archive nobody sends, repeats, stops or takes back any more."""
    deliveries = draft.owned(incident.id, Table.DELIVERY, Delivery)
    runs = draft.owned(incident.id, Table.RUN, Run)
    changes = [each for each in draft.owned(incident.id, Table.TIMER, Timer) if each.wake is Wake.UNDO]
    over = all([*(each.progress.over for each in deliveries), *(each.phase.over for each in runs)])
    return bool(changes) or not over
