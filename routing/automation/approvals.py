"""Approvals: a person says yes before a run changes anything. No answer in time means no, and is recorded so.

Never by whoever started the run, and only by those who were asked; anybody may say no.
"""

from enum import StrEnum
from typing import Any

import msgspec

from routing import duration
from routing.automation import facts, steps
from routing.delivery import Message
from routing.draft import Draft
from routing.errors import TocsinError
from routing.incident import Incident
from routing.language import expressions
from routing.policy import Approvers, Runbook, RunbookStep
from routing.reason import Reason
from routing.response import callees, render, sending
from routing.response.callees import Callee
from routing.run import Approval, Run, RunPhase
from routing.timer import Wake

UNCOUNTED = float(2**53)
"""More than anything that was counted."""


class Vote(StrEnum):
    """What came of one person's yes."""

    NOTHING = "nothing"
    GRANTED = "granted"


def needed(run: Run, runbook: Runbook, known: dict[str, Any]) -> str:
    """Why somebody has to approve before anything is changed; "" when nobody has to."""
    if run.mode == "dry_run":
        return ""
    if runbook.mode == "approve" and not run.approved_by:
        return "it asks each time"
    limit = runbook.limits.max_affected
    most = max(limit, run.approval.affected) if run.approved_by and run.approval else limit
    for step in steps.chosen(run, runbook):
        many = _affected(step, known)
        if many > most:
            if many == UNCOUNTED:
                return f"nobody can tell how many {step.id} would affect"
            rule = (
                f"{most:g} were approved"
                if run.approved_by
                else f"no more than {most:g} may be affected by itself"
            )
            return f"{step.id} would affect {many:g}, and {rule}"
    return ""


def _affected(step: RunbookStep, known: dict[str, Any]) -> float:
    if not step.affects:
        return 0
    try:
        found = expressions.evaluate(step.affects, known)
    except TocsinError:
        return UNCOUNTED
    return found if isinstance(found, int | float) and not isinstance(found, bool) else UNCOUNTED


def ask(draft: Draft, incident: Incident, run: Run, runbook: Runbook, why: str) -> str:
    """Put the run on hold and ask. Returns why nobody can be asked: that denies it."""
    rules = runbook.approval
    if rules is None:
        return f"{why}, and nobody is named to approve it"
    people = [each for each in callees.resolve(draft, rules.targets).people if _may(run, each.contact.name)]
    if len(people) < rules.people:
        return f"{why}, and {len(people)} of the {rules.people} who have to approve can be asked"
    until = draft.now + rules.within_ms
    asked = [each.contact.name for each in people]
    known = facts.of_run(draft, incident, run)
    most = max(_affected(step, known) for step in steps.chosen(run, runbook))
    approval = Approval(why=why, until_at=until, people=rules.people, asked=asked, affected=most)
    run = msgspec.structs.replace(run, phase=RunPhase.WAITING, approval=approval, approved_by=[], at_step="")
    draft.put_run(run)
    what = f"deny runbook {runbook.id} unless somebody approves"
    draft.wake(Wake.APPROVAL, run.id, until, incident=incident.id, what=what)
    # Its own time stands still while it waits.
    last = until + runbook.timeout_ms
    draft.wake(Wake.RUN_DEADLINE, run.id, last, incident=incident.id, what=f"give up on runbook {runbook.id}")
    names = ", ".join(each.contact.title for each in people)
    reason = Reason(text=why, rule=f"runbook {runbook.id}", origin=str(rules.origin))
    draft.note(incident.id, f"runbook {runbook.id} waits for approval by {names}", reason)
    for each in people:
        _tell(draft, draft.incident(incident.id) or incident, run, runbook, rules, each)
    return ""


def _may(run: Run, name: str) -> bool:
    return bool(name) and name != run.requested_by


def _tell(
    draft: Draft, incident: Incident, run: Run, runbook: Runbook, rules: Approvers, callee: Callee
) -> None:
    contact = callee.contact
    if not contact.quiet or run.approval is None:
        return
    title = f"Approve {runbook.title} for {incident.title}?"
    until = render.clock(run.approval.until_at, contact.timezone)
    lines = [
        title,
        f"{incident.severity}, target {run.target}: {run.approval.why}.",
        f"It would do: {', '.join(step.action for step in steps.chosen(run, runbook))}.",
        *(f"{name}: {text}" for name, text in run.inputs.items()),
        f"Until {until}; no answer within {duration.text(rules.within_ms)} means no.",
        f"Answer approve or deny, or: tocsin runbook approve {run.id}",
    ]
    message = Message(title=f"[{incident.id}] {title}", body="\n".join(lines), speech=title)
    why = f"runbook {runbook.id} asks for approval"
    sending.ask(draft, incident, contact, contact.quiet[0], message, why, run.id)


def approve(draft: Draft, incident: Incident, run: Run, by: str, via: str) -> Vote:
    """One person's yes; granted with the last one that it takes."""
    approval = run.approval
    if approval is None or by in approval.granted:
        return Vote.NOTHING
    if by not in approval.asked:
        own = "who starts a run cannot approve it" if by == run.requested_by else "they were not asked"
        asked = ", ".join(approval.asked)
        draft.note(incident.id, f"{by} approved {run.id} via {via}: {own}; {asked} may", by=by)
        return Vote.NOTHING
    approval = msgspec.structs.replace(approval, granted=[*approval.granted, by])
    left = approval.people - len(approval.granted)
    draft.put_run(msgspec.structs.replace(run, approval=approval))
    more = f"; {left} more needed" if left else ""
    draft.note(incident.id, f"runbook {run.runbook} approved by {by} via {via}{more}", by=by)
    return Vote.NOTHING if left else Vote.GRANTED
