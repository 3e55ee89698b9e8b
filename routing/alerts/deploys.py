"""Production deployments: remembered, for each is the first suspect of what breaks next."""

from routing.alerts import verdicts
from routing.alerts.classify import Classified
from routing.decision import Table
from routing.draft import Draft
from routing.event import Event
from routing.incident import Deploy


def remember(draft: Draft, event: Event, classified: Classified, at: int) -> None:
    """A production deployment went live: remembered as the suspect of what breaks next."""
    labels = classified.labels
    project = labels.get("project", "") or event.source
    deploy = Deploy(
        id=labels.get("deployment", "") or event.key,
        project=project,
        service=classified.service,
        by=labels.get("author", ""),
        at=min(event.starts_at or at, at),
        link=event.link,
    )
    known = draft.find(Table.DEPLOY, project, Deploy)
    if known is None or known.at <= deploy.at:
        draft.put(Table.DEPLOY, project, deploy)
    verdicts.put(draft, "recorded", severity=classified.severity, reasons=classified.reasons)


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
