"""Production deployments and other changes: remembered, for each is a suspect of what breaks next."""

import msgspec

from routing.alerts import verdicts
from routing.alerts.classify import Classified
from routing.decision import Table
from routing.draft import Draft
from routing.event import Event
from routing.incident import Deploy, Incident, Phase
from routing.instant import HOUR
from routing.noise import related
from routing.reason import Reason
from routing.response import render
from routing.timer import Wake

MOST_SUSPECTS = 3


def remember(draft: Draft, event: Event, classified: Classified, at: int) -> None:
    """A production deployment went live: a suspect of what breaks next, and of what has just broken."""
    labels = classified.labels
    change = "" if labels.get("deployment") or labels.get("project") else event.title
    id_ = labels.get("deployment", "") or event.key
    project = labels.get("project", "") or event.source
    deploy = Deploy(
        id=change or id_,
        project=project,
        service=classified.service,
        by=labels.get("author", ""),
        at=min(event.starts_at or at, at),
        link=event.link,
        change=change,
    )
    key = f"{project}/{id_}"
    if draft.find(Table.DEPLOY, key, Deploy) is None:
        draft.put(Table.DEPLOY, key, deploy)
        forget = max(draft.now, deploy.at) + draft.policy.suspect_ms + HOUR
        draft.wake(Wake.EXPIRE, f"deploy:{key}", forget, what="forget a deployment")
        _tell_late(draft, deploy)
    verdicts.put(draft, "recorded", severity=classified.severity, reasons=classified.reasons)


def _tell_late(draft: Draft, deploy: Deploy) -> None:
    """Its report was overtaken by what it may have broken: named there after all."""
    for incident in list(draft.state.tables[Table.INCIDENT].values()):
        if not isinstance(incident, Incident) or incident.phase is Phase.RESOLVED:
            continue
        if deploy.at <= incident.opened_at and _likely(draft, incident, deploy):
            known = [each for each in (incident.suspect, *incident.suspects) if each is not None]
            blamed = _blame(draft, incident, [*known, deploy])
            if blamed != incident:
                draft.put_incident(blamed)
                what = f"suspect: {render.suspicion(blamed, blamed.opened_at)}"
                draft.note(incident.id, what, Reason(text="the deployment was reported after the alert"))


def suspected(draft: Draft, incident: Incident) -> Incident:
    """The incident with the production deployments recent enough to be its cause."""
    known = [each for each in draft.state.tables[Table.DEPLOY].values() if isinstance(each, Deploy)]
    likely = [each for each in known if _likely(draft, incident, each)]
    return _blame(draft, incident, likely) if likely else incident


def reasons(draft: Draft, incident: Incident) -> list[Reason]:
    """Why the deployments are suspected, the likeliest first."""
    near = related.suspects(draft, incident.service)
    found = []
    for deploy in (incident.suspect, *incident.suspects):
        if deploy is None:
            continue
        of = f"{deploy.service}, which {incident.service} depends on" if near.get(deploy.service) else "it"
        what = (
            f'the change "{deploy.change}" of {of} was made'
            if deploy.change
            else f"production deployment {deploy.id} of {of} went live"
        )
        text = f"{what} shortly before"
        found.append(Reason(text=text))
    return found


def _likely(draft: Draft, incident: Incident, deploy: Deploy) -> bool:
    if not incident.opened_at - draft.policy.suspect_ms <= deploy.at <= incident.opened_at:
        return False
    return (
        not incident.service
        or not deploy.service
        or deploy.service in related.suspects(draft, incident.service)
    )


def _blame(draft: Draft, incident: Incident, deploys: list[Deploy]) -> Incident:
    """The nearest service first, then the latest deployment."""
    near = related.suspects(draft, incident.service)
    ranked = sorted(deploys, key=lambda each: (near.get(each.service, 0), -each.at, each.id))[:MOST_SUSPECTS]
    first = ranked[0] if ranked else None
    return msgspec.structs.replace(incident, suspect=first, suspects=ranked[1:])
