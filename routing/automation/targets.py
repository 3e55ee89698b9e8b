"""Targets: what is remembered of the runs on one, and of all runs of a runbook, for the guard rails."""

from routing.automation import guards
from routing.decision import Table
from routing.draft import Draft
from routing.policy import Runbook
from routing.run import TargetRecord


def of_run(draft: Draft, runbook: Runbook, target: str) -> TargetRecord:
    return lately(draft, f"{runbook.id}@{target}")


def purses(draft: Draft, runbook: Runbook, *, reads: bool) -> list[guards.Purse]:
    """The budgets over all targets. What only `reads` takes nothing from those who change something."""
    own = guards.Purse(runbook.id, runbook.limits.everywhere, lately(draft, runbook.id))
    overall = guards.Purse("all runbooks", draft.policy.runs, lately(draft, "@"))
    return [own] if reads else [own, overall]


def lately(draft: Draft, key: str) -> TargetRecord:
    return draft.find(Table.TARGET, key, TargetRecord) or TargetRecord(key=key)
