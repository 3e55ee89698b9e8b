"""Incidents of the past as the archive has them: made without a fold, so that there can be thousands."""

from collections.abc import Sequence
from typing import Any

from ledger.archive import ArchivedIncident
from routing.delivery import Delivery, Message, Progress, Purpose
from routing.incident import Incident, Moment, Phase
from routing.instant import HOUR, MINUTE
from routing.reason import Reason
from routing.record import encode
from routing.run import Run, RunPhase
from routing.severity import Severity

OPENED = 1_764_547_200_000
"""2025-12-01T00:00:00Z."""


def page(incident: str, number: int, contact: str, at: int, **changes: Any) -> Delivery:
    known: dict[str, Any] = {
        "id": f"{incident}-d{number}", "incident": incident, "contact": contact, "channel": "sms", "address": "+48",
        "purpose": Purpose.PAGE, "severity": Severity.SEV1, "message": Message(title="t", body="b"),
        "progress": Progress.SENT, "created_at": at, "changed_at": at, "stage": number,
    }  # fmt: skip
    return Delivery(**{**known, **changes})


def repair(incident: str, at: int, phase: RunPhase = RunPhase.SUCCEEDED) -> Run:
    return Run(
        id=f"{incident}-r1", incident=incident, runbook="rollback", runbook_version=1, target="site", mode="auto",
        phase=phase, started_at=at, deadline_at=at + HOUR, ended_at=at + MINUTE,
    )  # fmt: skip


def incident(number: int, at: int, **changes: Any) -> Incident:
    """Of a SEV-1, to be acknowledged within 15 min and resolved within 4 h."""
    known: dict[str, Any] = {
        "id": f"INC-{number}", "number": number, "title": f"Trouble {number}", "severity": Severity.SEV1,
        "phase": Phase.RESOLVED, "group": "", "opened_at": at, "changed_at": at, "service": "site",
        "respond_by": at + 15 * MINUTE, "resolve_by": at + 4 * HOUR,
    }  # fmt: skip
    return Incident(**{**known, **changes})


def retired(
    one: Incident, pages: Sequence[Delivery] = (), runs: Sequence[Run] = (), *, flapped: bool = False
) -> ArchivedIncident:
    lines = [Moment(at=one.opened_at, what="opened")]
    if flapped:
        lines.append(
            Moment(at=one.opened_at, what="it flaps", reasons=[Reason(text="4 changes", rule="flapping")])
        )
    owned = {
        "delivery": {each.id: encode(each) for each in pages},
        "run": {each.id: encode(each) for each in runs},
    }
    return ArchivedIncident(one.id, one.number, encode(one), owned, tuple(map(encode, lines)))


def month(many: int, opened: int = OPENED, days: int = 30) -> list[ArchivedIncident]:
    """So many, spread over these days: two of three paged for, every fifth repaired by itself, every seventh noise."""
    found = []
    for number in range(1, many + 1):
        at = opened + number * days * 24 * HOUR // (many + 1)
        by = "runbook rollback" if number % 5 == 0 else "source" if number % 7 == 0 else "anna"
        taken = at + (2 + number % 17) * MINUTE if by == "anna" else 0
        one = incident(
            number, at, severity=Severity(number % 5), resolved_by=by, resolved_at=at + (5 + number % 300) * MINUTE,
            acknowledged_at=taken, acknowledged_by="anna" if taken else "", service=f"service-{number % 4}",
        )  # fmt: skip
        names = ("anna", "ben", "cto")[: 1 + number % 3]
        pages = (
            [page(one.id, n, name, at + n * 5 * MINUTE) for n, name in enumerate(names)] if number % 3 else []
        )
        runs = [repair(one.id, at)] if number % 5 == 0 else []
        found.append(retired(one, pages, runs, flapped=number % 50 == 0))
    return found
