"""Escalation: who is paged next, until somebody answers. It never ends in silence."""

import msgspec

from routing.decision import Table
from routing.delivery import Delivery, Held, Progress, Purpose
from routing.draft import Draft
from routing.escalation import Escalation, Stage
from routing.incident import Incident, Phase
from routing.instant import iso
from routing.noise import grouping
from routing.reason import Reason
from routing.response import callees, clocks, notify, optouts, personal, sending, stages
from routing.response.callees import Callee
from routing.timer import Wake


def page(draft: Draft, incident: Incident, why: str) -> Incident:
    """Start (again) at the first step: nobody has answered, or something got worse."""
    if _sleeps(draft, incident, why):
        draft.put_incident(incident)
        return incident
    if incident.escalation is None:
        return _last_resort(draft, incident, why)
    start = msgspec.structs.replace(
        incident.escalation,
        stage=-1,
        round=0,
        exhausted=False,
        awaited=[],
        acked=[],
        starts=incident.escalation.starts + 1,
    )
    incident = msgspec.structs.replace(incident, escalation=start, held_until=0, silenced_by="")
    draft.unwake(Wake.HOLD, incident.id)
    draft.unwake(Wake.LAST_RESORT, incident.id)
    sending.cancel_later(draft, incident, f"paging began anew: {why}")
    return advance(draft, incident, why)


def advance(draft: Draft, incident: Incident, why: str, *, at_once: bool = False) -> Incident:
    """Carry out the next step that reaches anybody; after the last, the last resort.

    `at_once`: no step waits for its hours, a person wants it now.
    """
    if _sleeps(draft, incident, why):
        draft.put_incident(incident)
        return incident
    draft.unwake(Wake.ESCALATE, incident.id)
    current = incident.escalation
    while current is not None:
        following = _following(current)
        if following is None:
            break
        stage = following.stages[following.stage]
        if not _is_for(draft, incident, following, stage):
            current = following
            continue
        opens = draft.now if at_once else stages.opens_at(draft, incident, stage)
        if opens > draft.now:
            return _wait_for_hours(draft, incident, current, stage, opens)
        current = following
        incident = msgspec.structs.replace(incident, escalation=current)
        targets = [(each.kind, each.name) for each in stage.targets]
        found = callees.resolve(draft, targets)
        for gap in found.gaps:
            draft.note(incident.id, gap.text, gap)
        if found.people:
            incident = _carry_out(draft, incident, stage, found.people, why)
            callees.turn(draft, targets)
            said = f"You shadow {', '.join(each.contact.title for each in found.people)}, paged for: {incident.title}"
            return notify.tell_each(draft, incident, list(found.shadows), said)
    return _last_resort(draft, incident, why)


def _sleeps(draft: Draft, incident: Incident, why: str) -> bool:
    """Whether a person has put the incident off: then nothing pages before that is over."""
    if incident.snoozed_until <= draft.now:
        return False
    draft.note(incident.id, f"not paged before {iso(incident.snoozed_until)}, it is snoozed: {why}")
    return True


def fall_back(draft: Draft, incident: Incident, delivery: Delivery) -> Incident:
    """A page failed for good: the contact's next method at once, then the next step of the policy."""
    known = callees.find(draft.policy, delivery.contact)
    contact = optouts.reachable(draft, known) if known else None
    siblings = [
        other
        for other in draft.owned(incident.id, Table.DELIVERY, Delivery)
        if other.purpose is Purpose.PAGE and _step(other) == _step(delivery)
    ]
    if contact is not None:
        own = [other for other in siblings if other.contact == contact.name]
        if later := next((other for other in own if _is_later(other)), None):
            draft.note(incident.id, f"{later.channel} to {contact.name} at once: {delivery.channel} failed")
            sending.release(draft, later)
            return draft.incident(incident.id) or incident
        tried = {(other.channel, other.address) for other in own}
        for method in personal.fallbacks(draft, contact, incident.severity):
            if (method.channel, method.address) not in tried:
                why = f"{delivery.channel} failed: {delivery.error}"
                return sending.send(draft, incident, contact, method, Purpose.PAGE, delivery.message, why)
    hopeful = any(other.progress is not Progress.FAILED for other in siblings if other.id != delivery.id)
    if hopeful or incident.escalation is None or incident.escalation.exhausted:
        return incident
    draft.note(incident.id, f"nobody could be reached at step {delivery.stage + 1}; going on to the next")
    return advance(draft, incident, "the step before reached nobody")


def _step(page: Delivery) -> tuple[int, int, int]:
    return page.start, page.round, page.stage


def _is_later(page: Delivery) -> bool:
    return page.held == Held.LATER and page.progress is Progress.PENDING


def _following(current: Escalation) -> Escalation | None:
    """The escalation one step on; None when the policy is exhausted."""
    if current.exhausted:
        return None
    if current.stage + 1 < len(current.stages):
        return msgspec.structs.replace(current, stage=current.stage + 1)
    if current.round < current.repeat and current.stages:
        return msgspec.structs.replace(current, stage=0, round=current.round + 1)
    return None


def _is_for(draft: Draft, incident: Incident, following: Escalation, stage: Stage) -> bool:
    missing = stages.why_not(draft, incident, stage.when)
    if missing:
        place = Reason(text=f"it is for {missing}", rule=following.policy, origin=stage.origin)
        draft.note(incident.id, f"step {following.stage + 1} of {following.policy} passed over", place)
    return not missing


def _wait_for_hours(draft: Draft, incident: Incident, before: Escalation, stage: Stage, at: int) -> Incident:
    """The step is for working hours: nothing until then, and then it is tried again."""
    hours = stage.delay.hours if stage.delay else ""
    reason = Reason(text=f"{incident.severity} waits for {hours}", rule=before.policy, origin=stage.origin)
    draft.note(incident.id, f"step {before.stage + 2} of {before.policy} waits until {iso(at)}", reason)
    what = f"page when {hours} begin"
    draft.wake(Wake.ESCALATE, incident.id, at, incident=incident.id, what=what)
    incident = msgspec.structs.replace(incident, escalation=before)
    draft.put_incident(incident)
    return respond_later(draft, incident, at)


def respond_later(draft: Draft, incident: Incident, at: int) -> Incident:
    """What is told only then (ms) is owed an answer only after it."""
    respond_by = at + draft.policy.levels[incident.severity].respond_ms
    if at <= draft.now or respond_by <= incident.respond_by:
        return incident
    incident = msgspec.structs.replace(incident, respond_by=respond_by)
    draft.put_incident(incident)
    draft.note(incident.id, f"the time to respond begins at {iso(at)}, when somebody is told")
    clocks.watch(draft, incident)
    return incident


def _carry_out(
    draft: Draft, incident: Incident, stage: Stage, people: tuple[Callee, ...], why: str
) -> Incident:
    escalation = incident.escalation
    if escalation is None:
        return incident
    people = _unanswered(stage, escalation, people)
    names = ", ".join(each.contact.title for each in people)
    step = f"step {escalation.stage + 1} of {escalation.policy}"
    place = Reason(text=f"{step}, because {why}", rule=escalation.policy, origin=stage.origin)
    draft.note(incident.id, f"paging {names}", place, *(each.reason for each in people))
    incident = grouping.paged(draft, incident)
    awaited = [each.contact.name for each in people] if stage.until == "all" else []
    incident = msgspec.structs.replace(
        incident, escalation=msgspec.structs.replace(escalation, awaited=awaited), asked_again=[]
    )
    begins = []
    for each in people:
        incident, at = notify.page(draft, incident, each, f"Paged as {step}: {why}.")
        begins.append(at)
    incident = respond_later(draft, incident, min(begins))
    what = "page the next step if nobody acknowledges"
    if awaited:
        what = f"page the next step unless all of {', '.join(awaited)} acknowledge"
    draft.wake(Wake.ESCALATE, incident.id, min(begins) + stage.wait_ms, incident=incident.id, what=what)
    draft.put_incident(incident)
    return incident


def _unanswered(stage: Stage, escalation: Escalation, people: tuple[Callee, ...]) -> tuple[Callee, ...]:
    """A step that wants everyone's acknowledgement leaves those alone who gave theirs."""
    if stage.until != "all":
        return people
    return tuple(each for each in people if each.contact.name not in escalation.acked) or people


def _last_resort(draft: Draft, incident: Incident, why: str) -> Incident:
    """The policy is exhausted: the last-resort contact, again and again until somebody answers."""
    if incident.escalation is not None:
        spent = msgspec.structs.replace(incident.escalation, exhausted=True, awaited=[])
        incident = msgspec.structs.replace(incident, escalation=spent, asked_again=[])
    if incident.drill:  # its policy is all there is; what nobody answers is a finding
        draft.put_incident(incident)
        return incident
    known = draft.policy.contacts.get(draft.policy.last_resort)
    begins = draft.now
    if known is not None:
        contact = optouts.reachable(draft, known)
        reason = Reason(
            text="every step of the policy was tried and nobody answered",
            rule="last resort",
            origin=str(contact.origin),
        )
        draft.note(incident.id, f"paging the last resort, {contact.title}", reason)
        incident = grouping.paged(draft, incident)
        callee = Callee(contact, reason, contact.digest)
        said = f"Last resort: nobody else answered ({why})."
        incident, begins = notify.page(draft, incident, callee, said, urgent=True)
    level = draft.policy.levels[incident.severity]
    every = max(draft.policy.last_resort_every_ms, level.respond_ms)
    draft.wake(
        Wake.LAST_RESORT,
        incident.id,
        begins + every,
        incident=incident.id,
        what="page the last resort again if nobody acknowledges",
    )
    draft.put_incident(incident)
    return incident


def stop(draft: Draft, incident: Incident) -> None:
    """Nobody is to be paged for now: it was acknowledged, put off, or resolved."""
    planned = (Wake.ESCALATE, Wake.LAST_RESORT, Wake.HOLD, Wake.ACK_EXPIRES, Wake.SNOOZE)
    draft.unwake_all(planned, incident.id)


def is_waiting_for_ack(incident: Incident) -> bool:
    waits = incident.phase is Phase.TRIGGERED
    return waits and not incident.snoozed_until and not incident.merged_into
