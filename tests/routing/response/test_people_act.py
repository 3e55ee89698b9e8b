"""What people do with an incident: snooze, reassign, merge."""

from dataclasses import replace

import pytest
from small_policy import POLICY, START, firing, resolved
from telling import do, ladder, lines, only, paged, pages, simulate, step, told

from routing.audit import audit
from routing.decision import Decision, Drop, Put, Retire, Table
from routing.entry import Answer, SilenceSet, Verb
from routing.incident import Alert, Incident, Phase
from routing.instant import HOUR, MINUTE, SECOND
from routing.response import merging
from routing.simulation import Simulation
from routing.state import State

STEPS = (step(("contact", "anna")), step(("contact", "bob")))


@pytest.fixture
def sim() -> Simulation:
    return simulate(ladder(*STEPS))


def test_a_snoozed_incident_pages_nobody_until_then_and_shows_it(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    sim.pass_time(START + MINUTE)
    do(sim, Verb.SNOOZE, until_at=START + 2 * HOUR)
    action = only(sim).next_action
    assert action is not None
    assert (action.at, action.what) == (START + 2 * HOUR, "page again: anna's snooze is over")
    sim.pass_time(START + 2 * HOUR - SECOND)
    assert paged(sim) == ["anna"]
    sim.pass_time(START + 2 * HOUR)
    assert paged(sim) == ["anna", "anna"]
    assert only(sim).snoozed_until == 0


def test_a_snooze_outlives_the_ack_it_came_with_and_then_it_is_nobodys_again(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.ACK)
    do(sim, Verb.SNOOZE, until_at=START + 3 * HOUR)
    sim.pass_time(START + 3 * HOUR - SECOND)
    assert (only(sim).phase, paged(sim)) == (Phase.ACKNOWLEDGED, ["anna"])
    sim.pass_time(START + 3 * HOUR)
    assert only(sim).phase is Phase.TRIGGERED
    assert paged(sim) == ["anna", "anna"]


def test_a_snooze_outlives_the_resolve_by_time_which_is_noted(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.SNOOZE, until_at=START + 6 * HOUR)
    sim.pass_time(START + 5 * HOUR)
    assert paged(sim) == ["anna"]
    assert any("it is snoozed: it is not resolved by its time" in line for line in lines(sim))
    assert audit(sim.state, sim.now) == []
    sim.pass_time(START + 6 * HOUR)
    assert paged(sim) == ["anna", "anna"]


@pytest.mark.parametrize("verb", [Verb.ESCALATE, Verb.ACK, Verb.RESOLVE])
def test_a_person_ends_a_snooze(sim: Simulation, verb: Verb) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.SNOOZE, until_at=START + 2 * HOUR)
    do(sim, verb)
    assert only(sim).snoozed_until == 0
    assert paged(sim) == (["anna", "bob"] if verb is Verb.ESCALATE else ["anna"])


def test_what_gets_worse_ends_a_snooze(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.SNOOZE, until_at=START + 2 * HOUR)
    sim.policy = replace(
        sim.policy, rules=tuple(replace(each, severity=POLICY.rules[0].severity) for each in POLICY.rules)
    )
    sim.pass_time(START + SECOND)
    sim.feed(firing("worse", at=sim.now))
    assert paged(sim) == ["anna", "anna"]


def test_a_snooze_into_the_past_changes_nothing(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.SNOOZE, until_at=START)
    sim.pass_time(START + 6 * MINUTE)
    assert paged(sim) == ["anna", "bob"]


def test_who_is_reassigned_is_paged_and_the_others_are_told(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    sim.pass_time(START + SECOND)
    do(sim, Verb.REASSIGN, to="contact:carol", by="bob")
    assert paged(sim) == ["anna", "carol"]
    assert told(sim) == [("anna", "bob reassigned worse to Carol")]
    sim.pass_time(START + 20 * MINUTE)
    assert paged(sim)[2:4] == ["anna", "bob"], "nobody answers: the policy's own steps follow"


def test_a_second_reassignment_takes_the_place_of_the_first(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.REASSIGN, to="contact:carol")
    do(sim, Verb.REASSIGN, to="contact:bob")
    escalation = only(sim).escalation
    assert escalation is not None
    assert [stage.targets[0].name for stage in escalation.stages] == ["bob", "anna", "bob"]


@pytest.mark.parametrize("to", ["contact:dora", "team:none", "schedule:none", "nobody", ""])
def test_a_reassignment_to_nobody_changes_nothing_and_says_so(sim: Simulation, to: str) -> None:
    sim.feed(firing("worse"))
    do(sim, Verb.REASSIGN, to=to)
    assert any(line.endswith("nothing has changed") for line in lines(sim))
    sim.pass_time(START + 6 * MINUTE)
    assert paged(sim) == ["anna", "bob"]


def two(sim: Simulation) -> None:
    """INC-1, acknowledged by anna, and INC-2, of which bob was told."""
    sim.feed(firing("worse", key="a"))
    do(sim, Verb.ACK, "INC-1")
    sim.feed(firing("api-broken", key="b"))
    sim.pass_time(START + 5 * MINUTE)


def by_id(sim: Simulation, name: str) -> Incident:
    return next(each for each in sim.incidents() if each.id == name)


def test_merged_alerts_move_and_their_resolves_end_the_target(sim: Simulation) -> None:
    two(sim)
    do(sim, Verb.MERGE, "INC-2", to="INC-1", by="carol")
    assert by_id(sim, "INC-2").phase is Phase.RESOLVED
    assert (by_id(sim, "INC-1").firing, by_id(sim, "INC-1").alerts) == (2, 2)
    sim.feed(resolved("worse", key="a", at=sim.now))
    assert by_id(sim, "INC-1").phase is Phase.ACKNOWLEDGED
    sim.feed(resolved("api-broken", key="b", at=sim.now))
    assert by_id(sim, "INC-1").phase is Phase.RESOLVED


def test_everyone_paged_for_a_merged_incident_is_told_and_owed_the_end_of_the_other(sim: Simulation) -> None:
    two(sim)
    before = len(told(sim))
    do(sim, Verb.MERGE, "INC-2", to="INC-1", by="carol")
    assert told(sim)[before:] == [
        ("anna", "api-broken goes on as INC-1, worse: carol merged them"),
        ("bob", "api-broken goes on as INC-1, worse: carol merged them"),
    ]
    assert by_id(sim, "INC-1").paged == ["anna", "bob"]


def test_a_merged_incident_pages_nobody_any_more(sim: Simulation) -> None:
    two(sim)
    do(sim, Verb.MERGE, "INC-2", to="INC-1", by="carol")
    before = pages(sim)
    sim.pass_time(START + 50 * MINUTE)
    assert pages(sim) == before


def test_new_alerts_of_a_merged_group_and_answers_to_its_pages_go_to_the_target(sim: Simulation) -> None:
    two(sim)
    do(sim, Verb.MERGE, "INC-2", to="INC-1", by="carol")
    sim.feed(firing("api-broken", key="c", at=sim.now))
    assert [each.id for each in sim.incidents()] == ["INC-1", "INC-2"]
    assert by_id(sim, "INC-1").alerts == 3
    page = next(each for each in sim.state.tables[Table.DELIVERY] if each.startswith("INC-2"))
    sim.feed(Answer(at=sim.now, channel="the phone", text="6", delivery=page))
    assert by_id(sim, "INC-1").phase is Phase.RESOLVED


def test_a_merge_with_something_worse_raises_the_target_and_pages(sim: Simulation) -> None:
    sim.feed(firing("deployment.error", key="a"))
    do(sim, Verb.ACK, "INC-1")
    sim.feed(firing("site-down", key="b"))
    do(sim, Verb.MERGE, "INC-2", to="INC-1")
    assert (by_id(sim, "INC-1").severity, by_id(sim, "INC-1").phase) == (0, Phase.TRIGGERED)


@pytest.mark.parametrize("to", ["INC-9", "INC-2", ""])
def test_a_merge_into_nothing_or_itself_changes_nothing_and_says_so(sim: Simulation, to: str) -> None:
    two(sim)
    do(sim, Verb.MERGE, "INC-2", to=to)
    assert any(line.endswith("nothing has changed") for line in lines(sim, "INC-2"))
    assert by_id(sim, "INC-2").phase is Phase.TRIGGERED


def test_a_merge_into_what_is_resolved_changes_nothing(sim: Simulation) -> None:
    two(sim)
    do(sim, Verb.RESOLVE, "INC-1")
    do(sim, Verb.MERGE, "INC-2", to="INC-1")
    assert by_id(sim, "INC-2").phase is Phase.TRIGGERED


def stored(sim: Simulation) -> dict[tuple[Table, str, str], Put]:
    """What the store would hold: every record in the place of its owner."""
    kept: dict[tuple[Table, str, str], Put] = {}
    for _, decision in sim.decisions:
        for change in decision.changes:
            if isinstance(change, Put):
                kept[change.table, change.incident, change.key] = change
            elif isinstance(change, Drop):
                kept.pop((change.table, change.incident, change.key), None)
    return kept


def test_a_big_merge_goes_in_parts_and_leaves_no_second_copy_to_come_back(sim: Simulation) -> None:
    many = 2 * merging.AT_ONCE + 7
    sim.feed(firing("worse", key="target"))
    for number in range(many):
        sim.feed(firing("api-broken", key=f"k{number}"))
    do(sim, Verb.MERGE, "INC-2", to="INC-1")
    assert by_id(sim, "INC-2").phase is Phase.TRIGGERED
    assert audit(sim.state, sim.now) == []
    sim.feed(resolved("api-broken", key=f"k{many - 1}", at=START))
    sim.pass_time(START + 1)
    assert (by_id(sim, "INC-1").alerts, by_id(sim, "INC-1").firing) == (many + 1, many)
    assert by_id(sim, "INC-2").phase is Phase.RESOLVED
    loaded = State()
    for put in sorted(stored(sim).values(), key=lambda put: (put.table is not Table.INCIDENT, put.incident)):
        loaded.load(put)
    assert {each.incident for each in loaded.tables[Table.ALERT].values() if isinstance(each, Alert)} == {
        "INC-1"
    }
    assert loaded.keys_of("INC-2", Table.ALERT) == set()
    assert loaded.open_groups == sim.state.open_groups


def test_a_merge_whose_target_left_before_all_had_moved_is_an_incident_of_its_own_again(
    sim: Simulation,
) -> None:
    sim.feed(firing("worse", key="target"))
    for number in range(merging.AT_ONCE + 7):
        sim.feed(firing("api-broken", key=f"k{number}"))
    sim.pass_time(START + MINUTE)
    do(sim, Verb.MERGE, "INC-2", to="INC-1")
    before = len(paged(sim))
    sim.state.apply(Decision((Retire("INC-1"),), (), None))
    sim.pass_time(sim.now + SECOND)
    assert by_id(sim, "INC-2").merged_into == ""
    assert len(paged(sim)) > before
    assert audit(sim.state, sim.now) == []


def test_the_end_of_a_snooze_pages_nobody_through_a_silence(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    sim.pass_time(START + MINUTE)
    do(sim, Verb.SNOOZE, until_at=START + HOUR)
    silence = SilenceSet(
        at=sim.now, id="s", matchers=['kind="worse"'], from_at=START, until_at=START + 2 * HOUR
    )
    sim.feed(silence)
    sim.pass_time(START + 2 * HOUR - SECOND)
    assert paged(sim) == ["anna"]
    assert audit(sim.state, sim.now) == []
    sim.pass_time(START + 2 * HOUR)
    assert paged(sim) == ["anna", "anna"]
