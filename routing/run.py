"""Run: one execution of a runbook against one target. Waiting is a timer; a run holds no worker."""

from enum import StrEnum
from typing import Any

from routing.record import Record


class RunPhase(StrEnum):
    DIAGNOSE = "diagnose"
    WAITING = "waiting"
    """Somebody has to approve before anything is changed."""
    REMEDIATE = "remediate"
    VERIFY = "verify"
    SUCCEEDED = "succeeded"
    STOPPED = "stopped"
    """A guard said there is nothing (more) to do."""
    REFUSED = "refused"
    """A guard rail said no: cooldown, budget, breaker, lock, kill switch."""
    FAILED = "failed"
    HANDED_OVER = "handed_over"
    """A person has the task now, with what was found."""

    @property
    def words(self) -> str:
        """As a sentence has it."""
        return self.value.replace("_", " ")

    @property
    def over(self) -> bool:
        return self not in _UNDER_WAY


_UNDER_WAY = frozenset({RunPhase.DIAGNOSE, RunPhase.WAITING, RunPhase.REMEDIATE, RunPhase.VERIFY})


SKIPPED = "skipped"
"""Outcome of a step whose `when` does not hold."""


class StepState(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One step of a run. `attempt` 0: not begun. `outcome` "" while under way."""

    id: str
    action: str
    mutates: bool = False
    attempt: int = 0
    outcome: str = ""
    output: Any = None
    error: str = ""
    request: str = ""
    params: Any = None
    began_at: int = 0
    ended_at: int = 0
    repeat: bool = False


class Approval(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What a run waits for: `people` of those `asked` to say yes until `until_at`; no answer means no."""

    why: str
    until_at: int
    people: int
    asked: list[str]
    granted: list[str] = []
    affected: float = 0
    """The most that any step would have affected then: the yes is for so many, and no more."""


class Run(Record, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    incident: str
    runbook: str
    runbook_version: int
    target: str
    mode: str
    phase: RunPhase
    started_at: int
    deadline_at: int
    steps: list[StepState] = []
    at_step: str = ""
    anew: int = 0
    """How often it looked once more because another run may have changed its target."""
    verified: int = 0
    """Consecutive good verifications so far."""
    verify_until: int = 0
    ended_at: int = 0
    why: str = ""
    requested_by: str = ""
    """Who started it by hand, and so cannot approve it; "" when an alert did."""
    undoes: str = ""
    """The change it takes back, like "INC-1-r1/attack_mode"; "" where it repairs."""
    tries: int = 0
    """How often that has failed before."""
    follows: str = ""
    """The run that had failed or stopped before it; "" where an alert or a person started it."""
    approval: Approval | None = None
    labels: dict[str, str] = {}
    """Of the alert it is for; {} where they are the incident's."""
    inputs: dict[str, str] = {}
    """What its steps may name as {{ inputs.<name> }}: as the runbook has it, or as who started it by hand said."""
    approved_by: list[str] = []
    """Everyone it needed has approved."""


class TargetRecord(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What automation did lately: cooldown, budgets and breaker read this.

    `key` is "rollback@vercel:site" for one runbook and target, "rollback" for all of its targets, "@" for all there is.
    """

    key: str
    started: list[int] = []
    failures: int = 0
    open_until: int = 0
    """The breaker stays open until then; afterwards one probe may run."""
    probing: str = ""
    """Run id of the probe under way."""
