"""Rehearsing a runbook: its own events start it, its steps are answered by whoever is given, and nothing is changed.

Guards and `when` hold nothing up, so that every step is seen; what they would have said is told beside.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import msgspec

from routing.automation import conditions, facts
from routing.decision import Table
from routing.draft import Draft
from routing.entry import AnyEntry, Signal
from routing.policy import Policy, Runbook
from routing.run import Run
from routing.simulation.proving import RunbookTest
from routing.simulation.scenario import Reply
from routing.simulation.simulation import Script, Simulation


@dataclass(frozen=True, slots=True)
class Asked:
    """A guard, or the `when` of a step. `holds` None: nobody can tell, `problem` says why."""

    condition: str
    what: str
    holds: bool | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """`run` None: nothing that happens starts it."""

    run: Run | None
    asked: tuple[Asked, ...] = ()


def rehearse(policy: Policy, test: RunbookTest, labels: Mapping[str, str], script: Script) -> Rehearsed:
    """Play what happens in the test, with these labels on its events, until the run is over."""
    book = next(each for each in policy.runbooks if each.id == test.runbook)
    bare = tuple(replace(step, when="", affects="") for step in book.remediate)
    dry = replace(book, mode="dry_run", guards=(), remediate=bare, next_on_failure="")
    scenario = test.scenario
    played = Simulation(
        replace(policy, runbooks=(dry,), scheduled=(), freeze=None), scenario.start_at, script, keep=False
    )
    for happening in sorted(scenario.happenings, key=lambda each: each.after_ms):
        played.pass_time(scenario.start_at + happening.after_ms)
        if not isinstance(happening.what, Reply):
            played.feed(_with(happening.what, labels, played.now))
    while not _over(played) and played.step(scenario.start_at + scenario.longest_ms):
        pass
    run = _run(played)
    return Rehearsed(run, tuple(_asked(played, book, run)) if run else ())


def _with(entry: AnyEntry, labels: Mapping[str, str], now: int) -> AnyEntry:
    if isinstance(entry, Signal):
        event = msgspec.structs.replace(entry.event, labels={**entry.event.labels, **labels})
        entry = msgspec.structs.replace(entry, event=event)
    return msgspec.structs.replace(entry, at=now)


def _run(played: Simulation) -> Run | None:
    runs = [each for each in played.state.tables[Table.RUN].values() if isinstance(each, Run)]
    return max(runs, key=lambda run: run.started_at, default=None)


def _over(played: Simulation) -> bool:
    run = _run(played)
    return run is not None and run.phase.over


def _asked(played: Simulation, book: Runbook, run: Run) -> list[Asked]:
    draft = Draft(played.policy, played.state, "", played.now)
    incident = draft.incident(run.incident)
    if incident is None:
        return []
    known = facts.of_run(draft, incident, run)
    asked = [(guard.condition, guard.reason) for guard in book.guards]
    asked += [(step.when, f"{step.id} is needed") for step in book.remediate if step.when]
    found = []
    for condition, what in asked:
        judged = conditions.judge(condition, run, known)
        found.append(Asked(condition, what, None if judged.problem else judged.holds, judged.problem))
    return found
