"""Chains: what is tried for the same incident when a run did not repair it. They are short, and come back to nothing.

A run that failed goes on with what its runbook names. One that a guard stopped has changed nothing, so the next that
fits is asked. Whatever repairs nothing in the end is handed over, where a runbook with a task fits.
"""

from collections.abc import Iterator, Mapping

from routing.automation import runs
from routing.decision import Table
from routing.draft import Draft
from routing.incident import Alert, Incident
from routing.policy import Runbook
from routing.run import Run, RunPhase

MOST = 4
"""So many runs that repair may follow each other, each for what the one before did not."""


def fits(runbook: Runbook, labels: Mapping[str, str]) -> bool:
    return all(matcher.matches(labels) for matcher in runbook.matchers)


def following(draft: Draft, incident: Incident, ended: Run) -> Iterator[Runbook]:
    """What may be tried now: the first of them that its guard rails let run. A misfit of the one named is noted."""
    alerts = [each.labels for each in draft.owned(incident.id, Table.ALERT, Alert) if each.firing]
    several = [incident.labels, *alerts]
    if ended.phase is RunPhase.FAILED:
        yield from _named(draft, incident, ended, several)
    if not ended.requested_by:
        others = _others(draft, ended, several)
        yield from (each for each in others if not _misfit(draft, incident, ended, each, several))


def _named(draft: Draft, incident: Incident, failed: Run, several: list[dict[str, str]]) -> Iterator[Runbook]:
    before = runs.runbook_of(draft, failed.runbook)
    name = before.next_on_failure if before else ""
    if not name:
        return
    runbook = runs.runbook_of(draft, name)
    if runbook is None or runbook.mode == "off":
        problem = "it is switched off" if runbook else "it is no longer configured"
    else:
        problem = _misfit(draft, incident, failed, runbook, several)
    if problem:
        draft.note(incident.id, f"runbook {failed.runbook} failed, and {name} is not tried: {problem}")
    elif runbook is not None:
        yield runbook


def _others(draft: Draft, ended: Run, several: list[dict[str, str]]) -> Iterator[Runbook]:
    """Each once in a chain. After what failed, or was only a dry run, nothing but what hands over."""
    if ended.phase not in {RunPhase.STOPPED, RunPhase.FAILED}:
        return
    before = runs.runbook_of(draft, ended.runbook)
    looks = before is not None and before.hands_over
    goes_on = ended.phase is RunPhase.STOPPED and ended.mode != "dry_run" and not looks
    seen = {run.runbook for run in _chain(draft, ended)}
    for runbook in draft.policy.runbooks_by_labels.matching_any(several):
        if runbook.id not in seen and (goes_on or runbook.hands_over):
            yield runbook


def tried(draft: Draft, run: Run) -> str:
    """What the runs before this one in its chain tried and found, for the sentence that says it all; "" for none."""
    before = draft.run(run.follows)
    if before is None:
        return ""
    runbook = runs.runbook_of(draft, before.runbook)
    title = runbook.title if runbook else before.runbook
    return f"{tried(draft, before)}{title}: {before.phase.words}, {before.why}; then "


def _misfit(
    draft: Draft, incident: Incident, ended: Run, runbook: Runbook, several: list[dict[str, str]]
) -> str:
    """Why it is not for this incident now; "" when it is."""
    if not runbook.hands_over and len(_chain(draft, ended)) >= MOST:
        return f"{MOST} runs in a row have failed"
    if any(run.runbook == runbook.id for run in runs.active(draft, incident)):
        return "it is under way"
    if not any(fits(runbook, each) for each in several):
        return "it is for other alerts"
    if runbook.when_severity and incident.severity not in runbook.when_severity:
        return f"it is not for {incident.severity}"
    return ""


def _chain(draft: Draft, run: Run | None) -> list[Run]:
    """The runs that led to this one, and itself."""
    return [*_chain(draft, draft.run(run.follows)), run] if run is not None else []
