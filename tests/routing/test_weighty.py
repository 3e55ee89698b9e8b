"""What follows from how an incident is follows once: from what changes nothing that weighs, nothing else does."""

from dataclasses import replace
from typing import Any, get_args

import msgspec
import shipped
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from small_policy import HERE, POLICY, START, World, firing, resolved

from routing.decide import FOLDS, decide
from routing.decision import Decision
from routing.entry import AnyEntry, Command, Graded, Signal, Verb
from routing.incident import Incident, Phase
from routing.instant import HOUR, MINUTE
from routing.policy import Policy, Promotion
from routing.severity import Severity
from routing.simulation import Simulation
from routing.simulation.scenario import Behaviour
from routing.simulation.simulation import Script
from routing.simulation.world import World as Answering
from routing.timer import Wake

RISING = replace(
    POLICY,
    promotions=(
        Promotion("too-long", Severity.SEV1, HERE, severities=(Severity.SEV2,), after_ms=HOUR),
        Promotion("too-many", Severity.SEV1, HERE, alerts=2),
        Promotion("everywhere", Severity.SEV0, HERE, services=1),
    ),
)
ANEW = "anew"
"""The version of the same policy in other words: under it nothing has been looked at yet."""
INCIDENTS = st.sampled_from(["INC-1", "INC-2"])
DONE: list[dict[str, Any]] = [
    *({"verb": verb} for verb in (Verb.ACK, Verb.RESOLVE, Verb.ESCALATE)),
    *({"verb": verb, "text": "so it is"} for verb in (Verb.NOTE, Verb.STATUS)),
    {"verb": Verb.REASSIGN, "to": "contact:anna"},
    {"verb": Verb.ROLE, "text": "technical lead", "to": "anna"},
    *({"verb": Verb.MERGE, "to": incident} for incident in ("INC-1", "INC-2")),
]


def logs(*kinds: str) -> st.SearchStrategy[list[tuple[AnyEntry, int]]]:
    kind, number, service = (
        st.sampled_from(kinds),
        st.integers(0, 2),
        st.sampled_from(["site", "database", "payments"]),
    )

    def reported(kind: str, number: int, service: str) -> Signal:
        found = firing(kind, key=f"{kind}{number}")
        return msgspec.structs.replace(
            found, event=msgspec.structs.replace(found.event, labels={"service": service})
        )

    entries = st.one_of(
        st.builds(reported, kind, number, service),
        st.builds(lambda kind, n: resolved(kind, key=f"{kind}{n}"), kind, number),
        st.builds(lambda incident, done, by: Command(at=START, incident=incident, by=by, **done),
                  INCIDENTS, st.sampled_from(DONE), st.sampled_from(["anna", "carol"])),
        st.builds(lambda incident, severity: Graded(at=START, by="carol", incident=incident, severity=severity),
                  INCIDENTS, st.integers(0, 4)),
    )  # fmt: skip
    waits = st.sampled_from([0, 1, MINUTE, 59 * MINUTE, HOUR, 26 * HOUR])
    return st.lists(st.tuples(entries, waits), min_size=2, max_size=16)


class Checked(Simulation):
    """Holds every decision against what is decided where all of it is looked at anew."""

    def __init__(self, policy: Policy, script: Script) -> None:
        super().__init__(policy, START, script)
        self.anew = replace(policy, version=ANEW)
        self.repeats = 0

    def feed(self, entry: AnyEntry, entry_id: str = "") -> Decision:
        entry_id = entry_id or "e"
        anew = decide(self.anew, self.state, entry, entry_id, self.now)
        rising = any(
            timer.wake is Wake.PROMOTE and timer.at <= self.now for timer in self.state.timers().values()
        )
        decision = super().feed(entry, entry_id)
        # What is of age in this very moment is raised by its timer, or by what comes a moment before.
        if not rising:
            assert said(decision, self.policy.version) == said(anew, self.policy.version)
        self.repeats += decision.verdict is not None and decision.verdict.did == "repeated"
        return decision


def said(decision: Decision, version: str) -> bytes:
    """All of it, without the policy under which it was said, or was before."""
    found = msgspec.json.encode((decision.changes, decision.effects, decision.verdict))
    return found.replace(f'"{version}"'.encode(), b'""').replace(f'"{ANEW}"'.encode(), b'""')


def live_through(sim: Checked, log: list[tuple[AnyEntry, int]]) -> None:
    for entry, wait in log:
        sim.feed(msgspec.structs.replace(entry, at=sim.now))
        sim.pass_time(sim.now + wait)


@given(logs("site-down", "worse", "odd"))
@examples(100)
def test_nothing_follows_that_had_not_followed_already(log: list[tuple[AnyEntry, int]]) -> None:
    live_through(Checked(RISING, World()), log)


@given(logs("SiteDown", "HighErrorRate", "SlowQueries", "DiskFilling"), st.booleans())
@examples(60)
def test_nor_does_it_by_the_rules_that_ship(log: list[tuple[AnyEntry, int]], answered: bool) -> None:
    answering = (Behaviour(HERE, channel="voice", says="4", after_ms=MINUTE),) if answered else ()
    live_through(Checked(shipped.policy(), Answering(START, answering)), log)


def test_under_another_policy_a_repeat_is_looked_at_anew_and_then_no_more() -> None:
    sim = Simulation(POLICY, START, World())
    sim.feed(firing("odd"))
    assert (Wake.PROMOTE, "INC-1") not in timers(sim)
    sim.policy = replace(RISING, version=ANEW)
    sim.feed(firing("odd"))
    assert (Wake.PROMOTE, "INC-1") in timers(sim), "a rule that came meanwhile goes by its age from now on"
    assert only(sim).reviewed == ANEW
    sim.pass_time(START + HOUR)
    assert only(sim).severity is Severity.SEV1


def test_a_policy_that_comes_back_looks_anew_at_what_another_has_let_pass() -> None:
    sim = Simulation(RISING, START, World())
    sim.feed(firing("odd"))
    sim.feed(Command(at=START, incident="INC-1", verb=Verb.ACK, by="anna"))
    sim.pass_time(START + HOUR - 1)
    sim.policy = replace(POLICY, version="without")
    sim.pass_time(START + HOUR)
    assert (Wake.PROMOTE, "INC-1") not in timers(sim)
    sim.policy = RISING
    sim.feed(firing("odd"))
    assert only(sim).severity is Severity.SEV1


def test_a_repeat_that_is_worse_is_more_than_a_count() -> None:
    sim = Checked(RISING, World())
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
