"""Verifying: looking at the symptom until it was gone for long enough."""

from typing import Any

import msgspec

from routing.automation import ending, findings
from routing.automation.ending import Finished
from routing.draft import Draft
from routing.entry import Outcome, StepDone
from routing.errors import TocsinError
from routing.incident import Incident
from routing.language import expressions
from routing.policy import Runbook
from routing.run import Run, RunPhase
from routing.timer import Wake


def looked(draft: Draft, incident: Incident, run: Run, runbook: Runbook, done: StepDone) -> Finished | None:
    """One look at the symptom. It must stay gone for the whole of `for_ms`."""
    verify = runbook.verify
    if verify is None:
        return None
    good = done.outcome is Outcome.OK and _holds(verify.until, done.output)
    if not good:
        what = f"{run.runbook}: not verified yet: {findings.result(done)}"
        draft.note(incident.id, what, *findings.audit(verify.step, done), by=done.by)
    until = (run.verify_until or draft.now + verify.for_ms) if good else 0
    run = msgspec.structs.replace(run, verified=run.verified + 1 if good else 0, verify_until=until)
    if good and draft.now >= until:
        findings.tell(draft, incident, run, verify.step, done)
        checks = f"the symptom is gone: {run.verified} good checks in a row"
        return ending.finish(draft, incident, run, RunPhase.SUCCEEDED, checks)
    draft.put_run(run)
    draft.wake(
        Wake.VERIFY,
        run.id,
        draft.now + verify.every_ms,
        incident=incident.id,
        what="look at the symptom again",
    )
    return None


def _holds(condition: str, output: Any) -> bool:
    try:
        return expressions.holds(condition, output if isinstance(output, dict) else {"output": output})
    except TocsinError:
        return False
