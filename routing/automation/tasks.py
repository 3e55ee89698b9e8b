"""Tasks: a run that repairs nothing hands over to a person, with what its steps found kept with the incident."""

import msgspec

from routing.automation import facts, findings
from routing.draft import Draft
from routing.entry import Outcome
from routing.incident import FollowUp, Incident
from routing.language import template
from routing.policy import Runbook, Task
from routing.reason import Reason
from routing.response import callees, followups
from routing.run import Run

LONGEST = 1_500
"""Characters of a task: what a step found may be in it."""
UNKNOWN = "(not known)"
"""In place of what could not be found out; the rest of the sentence is told all the same."""


def waiting(draft: Draft, incident: Incident, runbook: Runbook) -> str:
    """Why it has nothing to hand over again; "" when it has. What keeps coming back is one task, not many."""
    for each in incident.followups:
        run = draft.run(each.run)
        if run is not None and run.runbook == runbook.id and not each.done_at:
            return f"its task is still to be done: tocsin incidents done {incident.id} {each.id}"
    return ""


def opened(draft: Draft, incident: Incident, run: Run, task: Task) -> tuple[Incident, str]:
    """The incident with the task, and in one sentence who has it and what was found."""
    known = facts.of_run(draft, incident, run)
    words = template.fill_known(task.text, known, UNKNOWN)[:LONGEST]
    followup = FollowUp(
        id=f"{run.id}-task",
        text=words,
        opened_at=draft.now,
        remind_at=draft.now + task.remind_ms,
        to=list(task.targets),
        run=run.id,
    )
    incident = msgspec.structs.replace(incident, followups=[*incident.followups, followup])
    who = ", ".join(each.contact.title for each in callees.resolve(draft, task.targets).people)
    who = who or "all who were paged, for it means nobody now"
    reason = Reason(text=found(run), rule=f"runbook {run.runbook}", origin=str(task.origin))
    draft.note(incident.id, f"task for {who}: {words}", reason)
    followups.wake(draft, incident, followup)
    return incident, f"to {who}: {words} ({found(run)}; see: tocsin incidents show {incident.id})"


def tell(draft: Draft, incident: Incident, run: Run) -> Incident:
    """Who has the task hears of it, and everyone who was paged that there is something to read."""
    task = next((each for each in incident.followups if each.run == run.id), None)
    if task is not None:
        incident = followups.tell(draft, incident, task, f"Task of {incident.id}: {task.text}")
        others = followups.others(draft, incident, task)
        said = f"Runbook {run.runbook} {run.phase.words} {run.why}"
        incident = followups.report(draft, incident, said, others)
    return incident


def found(run: Run) -> str:
    """Which steps found something, and what could not be found out."""
    names = [state.id for state in run.steps if state.outcome == Outcome.OK]
    trouble = findings.troubles(run)
    said = f"found: {', '.join(names)}" if names else "nothing was found"
    return f"{said}; {trouble}" if trouble else said
