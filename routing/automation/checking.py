"""The guards of a run, asked once before its first change."""

from routing.automation import conditions, ending, facts, findings
from routing.automation.ending import Finished
from routing.draft import Draft
from routing.incident import Incident
from routing.policy import Runbook
from routing.reason import Reason
from routing.run import Run, RunPhase


def guarded(draft: Draft, incident: Incident, run: Run, runbook: Runbook) -> Finished | None:
    """Check every guard before the first change. One that cannot be judged does not hold.

    Nor does it end what only hands over: what could not be found out is for the person to find.
    """
    known, unchecked = facts.of_run(draft, incident, run), 0
    for guard in runbook.guards:
        judged = conditions.judge(guard.condition, run, known)
        unmade = run.mode == "dry_run" and findings.unmade(run, guard.condition)
        if judged.holds and not unmade:
            continue
        if unmade or (judged.problem and runbook.task is not None):
            why = judged.problem if judged.problem and not unmade else "its facts were not fetched (dry run)"
            reason = Reason(text=why, origin=str(guard.origin))
            draft.note(incident.id, f"{run.runbook}: guard not checked: {guard.reason}", reason)
            unchecked += 1
            continue
        trouble = judged.problem or findings.troubles(run)
        why = guard.reason + (f"; {trouble}" if trouble else "")
        phase = RunPhase.FAILED if guard.otherwise == "fail" else RunPhase.STOPPED
        reason = Reason(text=why, origin=str(guard.origin))
        draft.note(incident.id, f"{run.runbook}: guard stopped it", reason)
        return ending.finish(draft, incident, run, phase, why)
    hold = f"all {len(runbook.guards)}" if not unchecked else f"{len(runbook.guards) - unchecked}"
    draft.note(incident.id, f"{run.runbook}: {hold} guards hold")
    return None
