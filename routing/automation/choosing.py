"""Choosing: which steps of a repair are needed, by what was diagnosed; asked once, before the first change."""

import msgspec

from routing.automation import conditions, facts, findings, steps
from routing.draft import Draft
from routing.incident import Incident
from routing.policy import Runbook, RunbookStep
from routing.reason import Reason
from routing.run import SKIPPED, Run


class Choice(msgspec.Struct, frozen=True):
    """`stopped` says why nothing is repaired; "" when the run may go on."""

    run: Run
    stopped: str = ""


def choose(draft: Draft, incident: Incident, run: Run, runbook: Runbook) -> Choice:
    """Leave out the steps whose `when` does not hold. One that nobody can judge stops the run, as a guard does."""
    known = facts.of_run(draft, incident, run)
    for step in runbook.remediate:
        if not step.when:
            continue
        if run.mode == "dry_run" and findings.unmade(run, step.when):
            draft.note(incident.id, f"{run.runbook}: whether {step.id} is needed is not checked (dry run)")
            continue
        judged = conditions.judge(step.when, run, known)
        if judged.problem:
            return Choice(run, f"nobody can tell whether {step.id} is needed: {judged.problem}")
        if not judged.holds:
            run = _leave_out(draft, incident, run, step)
    draft.put_run(run)
    if not steps.chosen(run, runbook):
        return Choice(run, "none of its steps is needed")
    return Choice(run)


def _leave_out(draft: Draft, incident: Incident, run: Run, step: RunbookStep) -> Run:
    why = f"{step.when} does not hold"
    state = msgspec.structs.replace(steps.state_of(run, step.id), outcome=SKIPPED, error=why)
    reason = Reason(text=why, rule=step.id, origin=str(step.origin))
    draft.note(incident.id, f"{run.runbook}: {step.id} is left out", reason)
    return steps.with_state(run, state)
