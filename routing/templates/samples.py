"""Messages that templates are held against before they go live: with everything known, and with next to nothing."""

from routing.delivery import Message, Purpose
from routing.incident import Deploy, Incident, NextAction, Phase
from routing.instant import HOUR, MINUTE
from routing.policy import Contact
from routing.ports import Notification
from routing.reason import BUILT_IN
from routing.run import Approval, Run, RunPhase, StepState
from routing.severity import Severity
from routing.templates import choosing

AT = 1_764_000_000_000
LINK = "https://tocsin.example/a/sample-of-a-link"
MESSAGE = Message(
    title="[INC-42] SEV-1 Payments are failing",
    body="SEV-1: Payments are failing\n20 declined in 5 min.\nSince Mon 24 Nov 16:50 CET.\nTried: nothing yet.",
    speech="Tocsin. Severity 1. Incident 42. Payments are failing.",
)
_PERSON = Contact("anna", "Anna", "Europe/Warsaw", (), {}, (), BUILT_IN)
_BARE = Incident(
    id="INC-42",
    number=42,
    title="Payments are failing",
    severity=Severity.SEV1,
    phase=Phase.TRIGGERED,
    group="g",
    opened_at=AT - 12 * MINUTE,
    changed_at=AT,
)
_FULL = Incident(
    id="INC-42",
    number=42,
    title="Payments are failing",
    severity=Severity.SEV1,
    phase=Phase.ACKNOWLEDGED,
    group="g",
    opened_at=AT - 12 * MINUTE,
    changed_at=AT,
    summary="20 declined in 5 min.",
    team="payments",
    service="checkout",
    labels={"environment": "production", "severity": "critical"},
    respond_by=AT + 3 * MINUTE,
    resolve_by=AT + 4 * HOUR,
    acknowledged_at=AT - MINUTE,
    acknowledged_by="ben",
    next_action=NextAction(at=AT + 5 * MINUTE, what="call the secondary"),
    firing=2,
    alerts=3,
    events=20,
    suspect=Deploy(id="dpl_1", project="prj_1", by="carol", at=AT - 20 * MINUTE),
    tried="rolled back, and it fails still",
)
_OVER = Incident(
    id="INC-42",
    number=42,
    title="Payments are failing",
    severity=Severity.SEV1,
    phase=Phase.RESOLVED,
    group="",
    opened_at=AT - HOUR,
    changed_at=AT,
    resolved_at=AT,
    resolved_by="source",
)
_RUN = Run(
    id="INC-42-r1",
    incident="INC-42",
    runbook="refund",
    runbook_version=1,
    target="stripe:pi_1",
    mode="approve",
    phase=RunPhase.WAITING,
    started_at=AT - MINUTE,
    deadline_at=AT + HOUR,
    steps=[StepState(id="refund", action="stripe.refund", mutates=True)],
    approval=Approval(why="it asks each time", until_at=AT + 15 * MINUTE, people=1, asked=["anna"]),
)


_OF_NO_INCIDENT = frozenset({Purpose.NOTICE, Purpose.TEST, Purpose.PUBLIC})
"""Of which a template learns nothing but the message."""


def samples(kind: str, severity: Severity | None) -> list[Notification]:
    """Of one kind: everything known, little known, and of an incident that the archive has by now."""
    level = Severity.SEV1 if severity is None else severity
    if kind in _OF_NO_INCIDENT:
        return [_sample(kind, level, None), _sample(kind, level, None, person=None)]
    return [
        _sample(kind, level, _FULL),
        _sample(kind, level, _BARE, person=None, link=""),
        _sample(kind, level, _OVER),
        _sample(kind, level, None, person=None, repeat=True),
    ]


def _sample(
    kind: str,
    severity: Severity,
    standing: Incident | None,
    *,
    person: Contact | None = _PERSON,
    link: str = LINK,
    repeat: bool = False,
) -> Notification:
    purpose = Purpose.PAGE if kind == choosing.BUNDLE else Purpose(kind)
    answered = purpose in {Purpose.PAGE, Purpose.APPROVAL, Purpose.TEST}
    return Notification(
        delivery="INC-42-d1",
        incident="" if purpose in _OF_NO_INCIDENT else "INC-42",
        to="anna@example.com",
        purpose=purpose,
        severity=severity,
        message=MESSAGE,
        attempt=1,
        repeat=repeat,
        ack_url=link if answered else "",
        callback_url="https://tocsin.example/callbacks",
        standing=standing,
        person=person,
        urgent=severity <= Severity.SEV1,
        together=kind == choosing.BUNDLE,
        asked=_RUN if purpose is Purpose.APPROVAL else None,
    )
