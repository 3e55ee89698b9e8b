"""Causing: an incident takes in what is its effect or its cause, whichever came first. One incident, one page."""

import msgspec

from routing.alerts import deploys
from routing.alerts.condition import Condition
from routing.decision import Table
from routing.draft import Draft
from routing.incident import Alert, Incident, Phase
from routing.noise import mutes
from routing.noise.related import Found
from routing.policy import Route
from routing.response import escalation, notify, responding, sending

MOST_ALSO = 20
"""Groups an incident takes in besides its own; of further ones each alert is related anew."""
MOST_LOOKED_AT = 50
"""An incident with more alerts is not folded into another: all of them would have to be its effects."""


def join_group(draft: Draft, incident: Incident, group: str) -> Incident:
    """From now on the group's alerts join this incident. Gives it as put."""
    if group in incident.groups or len(incident.also) >= MOST_ALSO:
        return incident
    incident = msgspec.structs.replace(incident, also=[*incident.also, group])
    draft.put_incident(incident)
    return incident


def adopt(draft: Draft, effects: list[Found], condition: Condition, route: Route, group: str) -> Incident:
    """The cause has come after its effect was opened: the incident becomes the cause's.

    Its title, route and group are now those of the cause, as if that had come first. Whoever was paged is told
    quietly; the cause is paged for only when it is worse, or somebody else's.
    """
    incident, why = effects[0].incident, effects[0].reason
    draft.note(incident.id, f"its cause is {condition.title}; it was opened as {incident.title}", why)
    reroute = route.escalation != _escalation(draft, incident)
    incident = msgspec.structs.replace(
        incident,
        title=condition.title,
        summary=condition.summary,
        team=condition.team,
        service=condition.service,
        labels=condition.labels,
        route=route.name,
        group=group,
        also=[each for each in [*incident.also, incident.group] if each != group][:MOST_ALSO],
        changed_at=draft.now,
    )
    incident = deploys.suspected(draft, incident)
    if reroute:
        ladder = draft.policy.escalations[route.escalation].begun
        incident = msgspec.structs.replace(incident, escalation=ladder)
    draft.put_incident(incident)
    _explain(draft, incident, effects)
    if condition.severity < incident.severity:
        return responding.worsen(draft, incident, condition.severity, condition.labels, *condition.reasons)
    if incident.silenced_by:
        return responding.unmuted(draft, incident, condition.labels)
    if reroute and incident.phase is Phase.TRIGGERED and not incident.held_until:
        return responding.respond(draft, incident, condition.labels)
    return notify.tell_all_paged(draft, incident, f"The cause is {condition.title}: {why.text}")


def _explain(draft: Draft, incident: Incident, effects: list[Found]) -> None:
    """Say with each alert, as if the cause had come first, why it is there."""
    for found in effects[:MOST_LOOKED_AT]:
        if found.incident.id == incident.id and not found.alert.why:
            draft.put_alert(msgspec.structs.replace(found.alert, why=found.reason.text))


def fold(draft: Draft, effect: Incident, cause: Incident, found: Found) -> Incident:
    """Two incidents are one problem: nobody is paged for the effect while the cause is open.

    Returns the cause, as put. An incident that holds more than effects goes on by itself.
    """
    if effect.cause or not _is_all(draft, effect, found):
        draft.note(effect.id, f"part of it may be an effect of {cause.id}, {cause.title}", found.reason)
        return cause
    draft.note(effect.id, f"an effect of {cause.id}, {cause.title}", found.reason)
    draft.note(cause.id, f"{effect.id}, {effect.title}, is its effect", found.reason)
    groups = effect.groups
    effect = msgspec.structs.replace(effect, cause=cause.id, group="", also=[], changed_at=draft.now)
    draft.put_incident(effect)
    for group in groups:
        cause = join_group(draft, cause, group)
    if effect.phase is Phase.TRIGGERED and (mute := mutes.over(draft, effect)) is not None:
        escalation.stop(draft, effect)
        sending.cancel_pages(draft, effect, f"an effect of {cause.id}")
        effect = mutes.hold(draft, effect, mute)
    notify.tell_all_paged(draft, effect, f"An effect of {cause.id}, {cause.title}: follow that one")
    return cause


def _is_all(draft: Draft, effect: Incident, found: Found) -> bool:
    """Whether every firing alert of the incident is of the service, or the kind, that is the effect."""
    if effect.alerts > MOST_LOOKED_AT:
        return False
    alerts = draft.owned(effect.id, Table.ALERT, Alert)
    like = found.alert
    return all(
        (each.labels.get("service"), each.kind) == (like.labels.get("service"), like.kind)
        or (found.by_service and each.labels.get("service") == like.labels.get("service"))
        for each in alerts
        if each.firing
    )


def _escalation(draft: Draft, incident: Incident) -> str:
    known = draft.policy.routes.get(incident.route)
    return known.escalation if known is not None else ""
