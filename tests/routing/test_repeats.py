"""What is reported again and again is counted, and costs little: nothing else follows from it than did before."""

from dataclasses import replace
from typing import Any, get_args

import msgspec
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from small_policy import HERE, POLICY, START, World, firing, resolved

from routing.decide import FOLDS, decide
from routing.decision import Change, Decision, Drop, Note, Put
from routing.entry import AnyEntry, Command, Signal, Verb
from routing.incident import Incident, Phase
from routing.instant import HOUR, MINUTE
from routing.policy import Promotion
from routing.severity import Severity
from routing.simulation import Simulation
from routing.timer import Wake

RISING = replace(
    POLICY,
    promotions=(
        Promotion("too-long", Severity.SEV1, HERE, severities=(Severity.SEV2,), after_ms=HOUR),
        Promotion("too-many", Severity.SEV1, HERE, alerts=2),
        Promotion("everywhere", Severity.SEV0, HERE, services=1),
    ),
)
ANEW = replace(RISING, version="anew")
"""The same in other words: under it nothing has been looked at yet."""
KINDS = st.sampled_from(["site-down", "worse", "odd"])
ENTRIES = st.one_of(
    st.builds(lambda kind, n: firing(kind, key=f"k{n}"), KINDS, st.integers(0, 2)),
    st.builds(lambda kind, n: resolved(kind, key=f"k{n}"), KINDS, st.integers(0, 2)),
    st.builds(lambda verb: Command(at=START, incident="INC-1", verb=verb, by="carol"),
              st.sampled_from([Verb.ACK, Verb.RESOLVE, Verb.ESCALATE])),
)  # fmt: skip
LOGS = st.lists(
    st.tuples(ENTRIES, st.sampled_from([0, 1, MINUTE, 59 * MINUTE, HOUR])), min_size=2, max_size=16
)


class Checked(Simulation):
    """Holds every repeat against what is decided where all of it is looked at anew."""

    repeats = 0

    def feed(self, entry: AnyEntry, entry_id: str = "") -> Decision:
        anew = decide(ANEW, self.state, entry, "e", self.now) if isinstance(entry, Signal) else None
        decision = super().feed(entry, entry_id)
        if anew is not None and anew.verdict is not None and anew.verdict.did == "repeated":
            self.repeats += 1
            assert said(decision) == said(anew)
        return decision


def said(decision: Decision) -> list[Any]:
    return [told for change in decision.changes if (told := _told(change))] + [*decision.effects]


def _told(change: Change) -> tuple[Any, ...]:
    """Without the policy under which it was said."""
    if isinstance(change, Put):
        record = change.record
        if isinstance(record, Incident):
            record = msgspec.structs.replace(record, reviewed="")
        return change.table, change.key, record, change.incident
    if isinstance(change, Note):
        return change.incident, change.moment.what
    return (change.table, change.key) if isinstance(change, Drop) else (change,)


@given(LOGS)
@examples(150)
def test_nothing_follows_from_a_repeat_that_had_not_followed_already(log: list[tuple[AnyEntry, int]]) -> None:
    sim = Checked(RISING, START, World())
    for entry, wait in log:
        sim.feed(msgspec.structs.replace(entry, at=sim.now))
        sim.pass_time(sim.now + wait)


def test_under_another_policy_a_repeat_is_looked_at_anew_and_then_no_more() -> None:
    sim = Simulation(POLICY, START, World())
    sim.feed(firing("odd"))
    assert (Wake.PROMOTE, "INC-1") not in timers(sim)
    sim.policy = ANEW
    sim.feed(firing("odd"))
    assert (Wake.PROMOTE, "INC-1") in timers(sim), "a rule that came meanwhile goes by its age from now on"
    assert only(sim).reviewed == ANEW.version
    sim.pass_time(START + HOUR)
    assert only(sim).severity is Severity.SEV1


def test_a_repeat_that_is_worse_is_more_than_a_count() -> None:
    sim = Checked(RISING, START, World())
    sim.feed(firing("odd"))
    sim.feed(firing("worse"))
    assert (sim.repeats, only(sim).severity) == (1, Severity.SEV1)
    assert only(sim).phase is Phase.TRIGGERED
    assert (Wake.PROMOTE, "INC-1") not in timers(sim), "its age can raise it no further"


def timers(sim: Simulation) -> list[tuple[Wake, str]]:
    return [(each.wake, each.subject) for each in sim.state.timers().values()]


def only(sim: Simulation) -> Incident:
    (incident,) = sim.incidents()
    return incident


def test_every_kind_of_entry_is_decided() -> None:
    assert set(FOLDS) == set(get_args(AnyEntry))
