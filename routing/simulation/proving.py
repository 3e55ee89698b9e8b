"""Proving a runbook: one of its own tests, played with this runbook alone."""

from dataclasses import dataclass, replace

from routing.decision import Table
from routing.effect import Step
from routing.errors import Fault
from routing.policy import Policy
from routing.reason import Origin
from routing.run import Run
from routing.simulation.play import Line, Played
from routing.simulation.scenario import Happening, Scenario


@dataclass(frozen=True, slots=True)
class RunbookTest:
    """`changes`: ids of the steps that change something, in the order they were carried out."""

    runbook: str
    scenario: Scenario
    ends: str
    changes: tuple[str, ...]
    because: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Proved:
    """`failure` says what was found instead; "" when all is as expected. `steps`: those that were carried out."""

    test: RunbookTest
    failure: str
    lines: tuple[Line, ...]
    steps: tuple[str, ...] = ()

    @property
    def fault(self) -> Fault:
        """The same among the faults of the configuration."""
        at = self.test.origin
        fix = f"mend the runbook or the test; see how it came: tocsin runbook test {self.test.runbook}"
        return Fault(at.file, at.line, 1, "tests", f"{self.test.scenario.title}: {self.failure}", fix)


def prove(policy: Policy, test: RunbookTest) -> Proved:
    """Play it: switched off or a dry run, the runbook is played as if it were not; one that asks does ask."""
    book = next(each for each in policy.runbooks if each.id == test.runbook)
    mode = "approve" if book.mode == "approve" else "auto"
    played = Played(replace(policy, runbooks=(replace(book, mode=mode),), scheduled=()), test.scenario)
    for happening in sorted(test.scenario.happenings, key=_when):
        played.until(test.scenario.start_at + happening.after_ms)
        played.happen(happening)
    while not _over(played) and played.simulation.step(test.scenario.start_at + test.scenario.longest_ms):
        pass
    played.until(played.simulation.now)
    return Proved(test, _failure(played, test), tuple(played.lines), _carried_out(played, changes=False))


def _when(happening: Happening) -> int:
    return happening.after_ms


def _runs(played: Played) -> list[Run]:
    found = [each for each in played.simulation.state.tables[Table.RUN].values() if isinstance(each, Run)]
    return sorted((each for each in found if not each.undoes), key=lambda run: run.started_at)


def _over(played: Played) -> bool:
    runs = _runs(played)
    return bool(runs) and all(run.phase.over for run in runs)


def _failure(played: Played, test: RunbookTest) -> str:
    runs = _runs(played)
    if not runs:
        return "it did not run: nothing that happens fits its match and severity"
    run, found = runs[-1], []
    if str(run.phase) != test.ends:
        found.append(f"expected it {test.ends}, and it {run.phase}")
    if (changed := _carried_out(played, changes=True)) != test.changes:
        found.append(f"expected changes by {_named(test.changes)}, and found {_named(changed)}")
    if test.because not in run.why:
        found.append(f'expected "{test.because}" in its reason')
    return "; ".join(found) and f"{'; '.join(found)} ({run.why or 'no reason'})"


def _carried_out(played: Played, *, changes: bool) -> tuple[str, ...]:
    """Ids of steps in their order; with `changes` only of those that change something."""
    steps = [each for _, each in played.simulation.effects if isinstance(each, Step)]
    return tuple(dict.fromkeys(each.step for each in steps if each.mutates or not changes))


def _named(steps: tuple[str, ...]) -> str:
    return ", ".join(steps) or "none"
