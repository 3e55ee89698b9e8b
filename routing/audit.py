"""The auditor of promise 3: nothing open is ever forgotten. Reads the state, trusts nothing."""

from dataclasses import dataclass

from routing.decision import Table
from routing.delivery import Delivery, Progress
from routing.incident import Incident, Phase
from routing.instant import MINUTE, iso
from routing.run import Run
from routing.state import State
from routing.timer import BOOKKEEPING, Timer, Wake

OVERDUE_MS = MINUTE
"""A timer this late means that nobody fires timers."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something open that nothing will ever move again, or that is overdue."""

    subject: str
    text: str


def audit(state: State, now: int) -> list[Finding]:
    """Everything open without a future. Empty is the only good answer. `now` in ms."""
    findings = []
    for incident in state.tables[Table.INCIDENT].values():
        if isinstance(incident, Incident) and incident.phase is not Phase.RESOLVED:
            findings += _incident(state, incident, now)
    for table in (Table.DELIVERY, Table.NOTICE):
        for delivery in state.tables[table].values():
            if isinstance(delivery, Delivery):
                findings += _delivery(state, delivery)
    for run in state.tables[Table.RUN].values():
        if isinstance(run, Run) and not run.phase.over and not _has(state, Wake.RUN_DEADLINE, run.id):
            findings.append(Finding(run.id, f"runbook {run.runbook} is under way and has no deadline"))
    findings += [
        Finding(key, f"the event {key} waits for its rest and nothing ends that")
        for key in state.tables[Table.HINT]
        if not _has(state, Wake.EXPIRE, f"hint:{key}")
    ]
    return findings


def _incident(state: State, incident: Incident, now: int) -> list[Finding]:
    timers = [
        timer
        for key in state.keys_of(incident.id, Table.TIMER)
        if isinstance(timer := state.get(Table.TIMER, key), Timer) and timer.wake not in BOOKKEEPING
    ]
    if not timers:
        return [Finding(incident.id, f"{incident.id} is open and has no next action")]
    first = min(timer.at for timer in timers)
    if first < now - OVERDUE_MS:
        return [Finding(incident.id, f"{incident.id}: its next action was due at {iso(first)}")]
    return []


def _delivery(state: State, delivery: Delivery) -> list[Finding]:
    awaited = {
        Progress.PENDING: (Wake.UNCLAIMED, Wake.RETRY, Wake.NEXT_METHOD, Wake.BUNDLE, Wake.THREAD),
        Progress.CLAIMED: (Wake.SILENT,),
    }
    wakes = awaited.get(delivery.progress, ())
    if wakes and not any(_has(state, wake, delivery.id) for wake in wakes):
        return [Finding(delivery.id, f"{delivery.id} is {delivery.progress} and nothing watches it")]
    return []


def _has(state: State, wake: Wake, subject: str) -> bool:
    return state.get(Table.TIMER, f"{wake}:{subject}") is not None
