"""Scenarios: what is rehearsed, how the world answers in them, and that a broken expectation is told."""

from typing import Any

import pytest
from small_policy import POLICY

from routing.errors import ConfigError
from routing.schema.scenario import read_scenario
from routing.simulation.judge import Judged, rehearse

OUTAGE = "{at: 0s, event: {source: am, kind: site-down, title: The site is down}}"


def judged(
    *lines: str, happens: tuple[str, ...] = (OUTAGE,), world: tuple[str, ...] = (), more: str = ""
) -> Judged:
    """The outcome of a scenario with these expectations."""
    parts = (("happens", happens), ("world", world), ("expect", lines))
    text = (
        "title: t\nstart: 2025-11-24T18:00\nlongest: 2h\n"
        + more
        + "".join(f"{name}:\n" + "".join(f"  - {line}\n" for line in found) for name, found in parts if found)
    )
    return rehearse(POLICY, read_scenario("tests/night.yaml", text, POLICY))


def found(*lines: str, **more: Any) -> list[str]:
    return [failure.found for failure in judged(*lines, **more).failures]


@pytest.mark.parametrize(
    "line",
    [
        "{paged: anna, by: voice, within: 1s}",
        "{paged: bob, after: 5m, within: 5m1s}",
        "{paged: bob, never: true, within: 4m59s}",
        "{paged_in_order: [anna, bob, cto]}",
        "{told: anna, never: true, within: 0s}",
        "{incident: INC-1, severity: SEV-0, status: triggered, service: site}",
        "{incident: any, status: resolved, never: true}",
        "{incidents: 1}",
        "{ran: rollback, ends: stopped}",
    ],
)
def test_what_holds_is_no_failure(line: str) -> None:
    assert found(line) == []


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("{paged: bob, within: 4m}", "bob was not paged by then"),
        ("{paged: anna, never: true}", "voice after 0s"),
        ("{paged: anna, by: mail}", "voice after 0s"),
        ("{told: bob, within: 1m}", "bob was not told by then"),
        ("{paged_in_order: [bob, anna, cto]}", "anna, then bob, then cto"),
        ("{incident: INC-1, severity: SEV-2}", "INC-1 SEV-0 triggered"),
        ("{incidents: 0}", "1: INC-1 SEV-0"),
        ("{ran: rollback, ends: succeeded}", "INC-1-r1 stopped"),
    ],
)
def test_what_does_not_hold_is_told_with_its_line_and_what_was_found(line: str, instead: str) -> None:
    (failure,) = judged("{incidents: 1}", line).failures
    assert instead in failure.found
    assert str(failure.origin) == "tests/night.yaml:8"


def test_an_answer_to_the_latest_page_stops_the_escalation() -> None:
    happens = (OUTAGE, "{at: 6m, reply: {by: bob, says: '4'}}")
    lines = ("{paged_in_order: [anna, bob]}", "{told: anna, after: 6m, within: 6m1s}",
             "{incident: any, status: acknowledged, within: 7m}")  # fmt: skip
    assert found(*lines, happens=happens, more="exactly: 20m\n") == []


def test_somebody_who_was_not_paged_cannot_answer() -> None:
    (failure,) = judged(happens=(OUTAGE, "{at: 1m, reply: {by: cto}}")).failures
    assert failure.found == "nobody had paged them"


@pytest.mark.parametrize(
    ("behaviour", "lines"),
    [
        ("{channel: voice, answers: permanent, contact: anna}", ("{paged: anna, by: mail, within: 2s}",)),
        ("{channel: voice, contact: anna, says: '4', takes: 20s}", ("{paged: bob, never: true}",)),
        ("{contact: anna, answers: dies}", ("{paged: anna, by: voice, after: 15s, within: 20s}",)),
        ("{contact: anna, answers: no_worker}", ("{paged: anna, by: voice, after: 5s, within: 6s}",)),
    ],
)
def test_the_world_answers_as_it_is_told_to(behaviour: str, lines: tuple[str, ...]) -> None:
    assert found(*lines, world=(behaviour,), more="exactly: 20m\n") == []


def test_a_repair_that_helps_pages_nobody() -> None:
    world = (
        "{step: health, gives: {failures: 3}}",
        "{step: deployments, gives: {current: {age_minutes: 12}, candidate: {uid: dpl_good}}}",
        "{step: rollback, gives: {requested: true}}",
        "{step: verify, gives: {ok: true}}",
    )
    happens = ("{at: 0s, event: {source: am, kind: api-broken}}",)
    lines = (
        "{ran: rollback, ends: succeeded}",
        "{incident: any, status: resolved}",
        "{paged: anna, never: true}",
    )
    assert found(*lines, world=world, happens=happens) == []


def test_many_events_are_numbered_each_its_own() -> None:
    happens = (
        "{at: 0s, count: 3, every: 1m, event: {source: am, kind: 'site-down', key: 'k{n}', title: 'no {n}'}}",
    )
    played = judged(happens=happens).played
    (incident,) = played.simulation.incidents()
    assert (incident.title, incident.alerts) == ("no 1", 3)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{at: 0s, event: {source: nowhere, kind: x}}", 'no source "nowhere"'),
        ("{at: 0s}", "nothing that happens"),
        ("{at: 0s, reply: {by: anna}, switch: {name: kill}}", "reply and switch"),
        ("{at: 5, switch: {name: kill}}", "5 has no unit"),
        ("{at: 0s, reply: {by: nobody}}", 'no contact "nobody"'),
    ],
)
def test_a_faulty_scenario_is_told_with_line_and_fix(line: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        judged(happens=(line,))
    (fault,) = raised.value.faults
    assert told in fault.found
    assert fault.line == 5
    assert fault.fix


def test_a_scenario_ends_when_nothing_is_open() -> None:
    happens = (OUTAGE, "{at: 10m, event: {source: am, kind: site-down, status: resolved}}")
    played = judged("{incident: any, status: resolved}", happens=happens).played
    assert played.open() == []
    assert played.simulation.now < played.scenario.start_at + 11 * 60_000
