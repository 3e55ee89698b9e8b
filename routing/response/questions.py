"""Questions: a page for an incident whose repair waits for approval asks whoever may give it, and says so.

What only asks never rings a phone; what rings anyway may ask as well.
"""

import msgspec

from routing.automation import runs
from routing.delivery import Delivery, Message, Purpose
from routing.draft import Draft
from routing.run import Run, RunPhase

# Named once, as in `routing.draft`: asked for again and again.
_PAGE = Purpose.PAGE


def waiting(draft: Draft, delivery: Delivery) -> str:
    """The run of its incident that waits for a yes of this contact, who has not given it; "" when none does."""
    incident = draft.incident(delivery.incident) if delivery.purpose is _PAGE else None
    if incident is None:
        return ""
    asking = (run.id for run in runs.active(draft, incident) if _asks(run, delivery.contact))
    return next(asking, "")


def still(draft: Draft, delivery: Delivery) -> Run | None:
    """The run that a page asks about, while it waits."""
    run = draft.run(delivery.run) if delivery.run and delivery.purpose is _PAGE else None
    return run if run is not None and _asks(run, delivery.contact) else None


def asked(draft: Draft, message: Message, run: Run) -> Message:
    """The page's message, with the question."""
    runbook = runs.runbook_of(draft, run.runbook)
    title = runbook.title if runbook else run.runbook
    return msgspec.structs.replace(
        message,
        body=f"{message.body}\nWaits for your approval: {title}, target {run.target}.",
        speech=f"{message.speech} Waiting for approval: {title}." if message.speech else "",
    )


def _asks(run: Run, contact: str) -> bool:
    approval = run.approval
    if run.phase is not RunPhase.WAITING or approval is None:
        return False
    return contact in approval.asked and contact not in approval.granted
