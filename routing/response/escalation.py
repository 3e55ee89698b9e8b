"""Escalation: who is paged next, until somebody answers. It never ends in silence."""

from dataclasses import dataclass

import msgspec

from routing import oncall
from routing.decision import Table
from routing.delivery import Delivery, Progress, Purpose
from routing.draft import Draft
from routing.incident import Escalation, Incident, Phase, Stage, Target
from routing.policy import Contact, EscalationPolicy, Policy
from routing.reason import Reason
from routing.response import notify
from routing.timer import Wake


def begin(policy: EscalationPolicy) -> Escalation:
    """The escalation as the incident keeps it: later policy changes do not move it."""
    stages = [
        Stage(
            targets=[Target(kind=kind, name=name) for kind, name in step.targets],
            wait_ms=step.wait_ms,
            origin=str(step.origin),
        )
        for step in policy.steps
    ]
    return Escalation(policy=policy.name, stages=stages, repeat=policy.repeat, origin=str(policy.origin))


def page(draft: Draft, incident: Incident, why: str) -> Incident:
    """Start (again) at the first step: nobody has answered, or something got worse."""
    if incident.escalation is None:
        return _last_resort(draft, incident, why)
    start = msgspec.structs.replace(incident.escalation, stage=-1, round=0, exhausted=False)
    incident = msgspec.structs.replace(incident, escalation=start, held_until=0, silenced_by="")
    draft.unwake(Wake.HOLD, incident.id)
    draft.unwake(Wake.LAST_RESORT, incident.id)
    return advance(draft, incident, why)


def advance(draft: Draft, incident: Incident, why: str) -> Incident:
    """Carry out the next step that reaches anybody; after the last, the last resort."""
    draft.unwake(Wake.ESCALATE, incident.id)
    current = incident.escalation
    while current is not None:
        following = _following(current)
        if following is None:
            break
        current = following
        incident = msgspec.structs.replace(incident, escalation=current)
        stage = current.stages[current.stage]
        callees = _callees(draft, stage)
        for gap in callees.gaps:
            draft.note(incident.id, gap.text, gap)
        if callees.contacts:
            return _carry_out(draft, incident, stage, callees, why)
    return _last_resort(draft, incident, why)


def fall_back(draft: Draft, incident: Incident, delivery: Delivery) -> Incident:
    """A page failed for good: the contact's next method at once, then the next step of the policy."""
    contact = draft.policy.contacts.get(delivery.contact)
    siblings = [
        other
        for other in draft.owned(incident.id, Table.DELIVERY, Delivery)
        if (other.stage, other.round, other.purpose) == (delivery.stage, delivery.round, Purpose.PAGE)
    ]
    if contact is not None:
        tried = {(other.channel, other.address) for other in siblings if other.contact == contact.name}
        for method in contact.methods:
            if (method.channel, method.address) not in tried:
                why = f"{delivery.channel} failed: {delivery.error}"
                message = msgspec.structs.replace(delivery.message)
                return notify.send(draft, incident, contact, method, Purpose.PAGE, message, why)
    hopeful = any(other.progress is not Progress.FAILED for other in siblings if other.id != delivery.id)
    if hopeful or incident.escalation is None or incident.escalation.exhausted:
        return incident
    draft.note(incident.id, f"nobody could be reached at step {delivery.stage + 1}; going on to the next")
    return advance(draft, incident, "the step before reached nobody")


def _following(current: Escalation) -> Escalation | None:
    """The escalation one step on; None when the policy is exhausted."""
    if current.exhausted:
        return None
    if current.stage + 1 < len(current.stages):
        return msgspec.structs.replace(current, stage=current.stage + 1)
    if current.round < current.repeat and current.stages:
        return msgspec.structs.replace(current, stage=0, round=current.round + 1)
    return None


@dataclass(frozen=True, slots=True)
class _Callees:
    contacts: tuple[Contact, ...]
    reasons: tuple[Reason, ...]
    gaps: tuple[Reason, ...]


def _callees(draft: Draft, stage: Stage) -> _Callees:
    contacts: dict[str, Contact] = {}
    reasons: list[Reason] = []
    gaps: list[Reason] = []
    for target in stage.targets:
        name, reason = resolve_target(draft, target.kind, target.name)
        contact = draft.policy.contacts.get(name)
        if contact is None:
            gaps.append(reason)
        else:
            contacts.setdefault(contact.name, contact)
            reasons.append(reason)
    return _Callees(tuple(contacts.values()), tuple(reasons), tuple(gaps))


def resolve_target(draft: Draft, kind: str, name: str) -> tuple[str, Reason]:
    """The contact a target means now, "" when nobody, and why."""
    policy: Policy = draft.policy
    if kind == "contact":
        known = policy.contacts.get(name)
        if known is None:
            return "", Reason(text=f"contact {name} is no longer configured", rule=name)
        return name, Reason(text=f"{known.title} is named directly", rule=name, origin=str(known.origin))
    schedule = policy.schedules.get(name)
    if schedule is None:
        return "", Reason(text=f"schedule {name} is no longer configured", rule=name)
    duty = oncall.who(schedule, oncall.standing(draft.state, name), draft.now)
    return duty.contact, Reason(text=duty.reason, rule=name, origin=str(schedule.origin))


def _carry_out(draft: Draft, incident: Incident, stage: Stage, callees: _Callees, why: str) -> Incident:
    escalation = incident.escalation
    if escalation is None:
        return incident
    names = ", ".join(contact.title for contact in callees.contacts)
    step = f"step {escalation.stage + 1} of {escalation.policy}"
    place = Reason(text=f"{step}, because {why}", rule=escalation.policy, origin=stage.origin)
    draft.note(incident.id, f"paging {names}", place, *callees.reasons)
    for contact in callees.contacts:
        incident = notify.page(draft, incident, contact, f"Paged as {step}: {why}.")
    draft.wake(
        Wake.ESCALATE,
        incident.id,
        draft.now + stage.wait_ms,
        incident=incident.id,
        what="page the next step if nobody acknowledges",
    )
    return incident


def _last_resort(draft: Draft, incident: Incident, why: str) -> Incident:
    """The policy is exhausted: the last-resort contact, again and again until somebody answers."""
    if incident.escalation is not None:
        spent = msgspec.structs.replace(incident.escalation, exhausted=True)
        incident = msgspec.structs.replace(incident, escalation=spent)
    contact = draft.policy.contacts.get(draft.policy.last_resort)
    if contact is not None:
        reason = Reason(
            text="every step of the policy was tried and nobody answered",
            rule="last resort",
            origin=str(contact.origin),
        )
        draft.note(incident.id, f"paging the last resort, {contact.title}", reason)
        incident = notify.page(draft, incident, contact, f"Last resort: nobody else answered ({why}).")
    level = draft.policy.levels[incident.severity]
    every = max(draft.policy.last_resort_every_ms, level.respond_ms)
    draft.wake(
        Wake.LAST_RESORT,
        incident.id,
        draft.now + every,
        incident=incident.id,
        what="page the last resort again if nobody acknowledges",
    )
    draft.put_incident(incident)
    return incident


def stop(draft: Draft, incident: Incident) -> None:
    """Nobody is to be paged for now: it was acknowledged or resolved."""
    for wake in (Wake.ESCALATE, Wake.LAST_RESORT, Wake.HOLD, Wake.ACK_EXPIRES):
        draft.unwake(wake, incident.id)


def is_waiting_for_ack(incident: Incident) -> bool:
    return incident.phase is Phase.TRIGGERED
