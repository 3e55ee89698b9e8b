"""Scheduled work: an event once each time the calendar says so, whatever stopped or was changed meanwhile."""

from dataclasses import replace
from typing import Any

import pytest
import shipped
from small_policy import HERE, POLICY, START, World
from telling import only

from routing.calendar.recurring import Every, Recurrence, next_after
from routing.decide import decide
from routing.decision import Table
from routing.entry import PolicySet, TimerDue
from routing.incident import Alert, Verdict
from routing.instant import DAY, HOUR, MINUTE, iso
from routing.language import matchers
from routing.policy import Policy, Scheduled, SeverityRule
from routing.severity import Severity
from routing.simulation import Simulation
from routing.timer import Timer

DAILY = Recurrence(Every.DAY, 0, 9 * 60, "Europe/Warsaw")
SCAN = Scheduled("scan", DAILY, "SecurityScan", "The scan is due", HERE, labels={"depth": "full"})
RULE = SeverityRule(
    name="upkeep", matchers=matchers.parse_all('source="calendar"'), origin=HERE, severity=Severity.SEV4, handling="alert",
    reason="upkeep", service="", team="security",
)  # fmt: skip


def policy(*scheduled: Scheduled, **more: Any) -> Policy:
    return replace(POLICY, scheduled=scheduled or (SCAN,), rules=(RULE,), **more)


def live(policy: Policy, at: int = START) -> Simulation:
    sim = Simulation(policy, at, World())
    publish(sim, policy)
    return sim


def publish(sim: Simulation, policy: Policy) -> None:
    sim.policy = policy
    sim.feed(PolicySet(at=sim.now, version=policy.version))


def came(sim: Simulation) -> int:
    """How many events its alert has taken."""
    return sum(each.count for each in sim.state.tables[Table.ALERT].values() if isinstance(each, Alert))


def timers(sim: Simulation) -> list[Timer]:
    return [each for each in sim.state.timers().values() if each.id.startswith("scheduled:")]


def test_it_comes_at_its_hour_as_an_event_that_rules_match() -> None:
    sim = live(policy())
    at = next_after(DAILY, START)
    sim.pass_time(at - 1)
    assert came(sim) == 0
    sim.pass_time(at)
    incident = only(sim)
    assert (incident.title, incident.severity, incident.team) == (
        "The scan is due",
        Severity.SEV4,
        "security",
    )
    (alert,) = sim.state.tables[Table.ALERT].values()
    assert isinstance(alert, Alert)
    assert (alert.source, alert.kind, alert.labels["depth"]) == ("calendar", "SecurityScan", "full")
    assert iso(at) in alert.summary
    assert any(decision.verdict and decision.verdict.did == "opened" for _, decision in sim.decisions)


def test_it_comes_once_each_time_and_joins_what_is_still_to_be_done() -> None:
    sim = live(policy())
    sim.pass_time(START + 10 * DAY)
    assert came(sim) == 10
    assert len(sim.incidents()) == 1
    assert len(timers(sim)) == 1


def test_after_a_long_stop_it_comes_once_for_all_that_was_missed() -> None:
    sim = live(policy())
    first = timers(sim)[0]
    sim.now = START + 30 * DAY
    publish(sim, policy())
    assert timers(sim)[0].at == first.at, "what is overdue is not put off by a restart"
    sim.pass_time(sim.now + MINUTE)
    assert came(sim) == 1
    assert timers(sim)[0].at == next_after(DAILY, sim.now)


def test_a_clock_that_is_behind_brings_it_no_second_time() -> None:
    sim = live(policy())
    at = timers(sim)[0].at
    sim.pass_time(at)
    sim.now = at - MINUTE
    publish(sim, policy())
    sim.pass_time(at + HOUR)
    assert came(sim) == 1


def test_a_timer_that_comes_twice_out_of_the_log_is_one() -> None:
    sim = live(policy())
    at = timers(sim)[0].at
    sim.pass_time(at)
    sim.feed(TimerDue(at=at, timer="scheduled:scan", due_at=at))
    assert came(sim) == 1


def test_a_change_of_its_time_counts_at_once_and_what_is_gone_comes_no_more() -> None:
    sim = live(policy())
    later = replace(SCAN, recurs=replace(DAILY, minute=12 * 60))
    publish(sim, policy(later))
    assert [each.at for each in timers(sim)] == [next_after(later.recurs, START)]
    sim.pass_time(START + 2 * DAY)
    assert came(sim) == 2
    publish(sim, replace(policy(), scheduled=()))
    sim.pass_time(START + 4 * DAY)
    assert came(sim) == 2
    assert timers(sim) == []


def test_the_fold_of_it_reads_no_clock() -> None:
    sim = live(policy())
    at = timers(sim)[0].at
    entry = TimerDue(at=at, timer="scheduled:scan", due_at=at)
    one, two = (decide(policy(), sim.state, entry, "c1-0", at) for _ in range(2))
    assert one == two
    assert isinstance(one.verdict, Verdict)


WEEKLY = "    every: week\n    day: wed\n"


@pytest.mark.parametrize(("old", "new", "found", "at"), [
    (WEEKLY, "    every: week\n", "every week, and no day of it", "- name: security-scan"),
    (WEEKLY, "    every: week\n    day: 3\n", "every week, and no day of it", "day: 3"),
    (WEEKLY, "    every: day\n    day: wed\n", "a day of what comes every day", "day: wed"),
    (WEEKLY, "    every: month\n    day: 32\n", "every month, and no day of the month", "day: 32"),
    (WEEKLY, "    every: year\n", "'year' is text", "every: year"),
    ('at: "06:00"', "at: 06:00", "06:00 without quotes", "at: 06:00"),
    ('at: "06:00"', 'at: "25:00"', "'25:00' is no time of day", 'at: "25:00"'),
    ("name: security-scan", "name: runbook-review # twice", 'a second "runbook-review"', "# twice"),
])  # fmt: skip
def test_what_is_no_time_is_refused_at_its_line(old: str, new: str, found: str, at: str) -> None:
    files = shipped.spoilt("calendar.yaml", old, new)
    faults = shipped.faults(files)
    assert [each.found.startswith(found) for each in faults] == [True], [str(each) for each in faults]
    assert faults[0].line == shipped.line_of("calendar.yaml", at, files)


def test_three_ship() -> None:
    found = {each.kind: each.recurs for each in shipped.policy().scheduled}
    assert {kind: str(recurs.every) for kind, recurs in found.items()} == {
        "RunbookReview": "month", "ContactsValidation": "quarter", "SecurityScan": "week",
    }  # fmt: skip
