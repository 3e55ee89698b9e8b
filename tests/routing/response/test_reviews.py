"""What a person adds to the report on an incident is kept with it."""

from typing import Any

from small_policy import POLICY, START, World, firing
from telling import lines, only

from routing.decision import Retire, Table
from routing.entry import Reviewed
from routing.incident import Review
from routing.instant import MINUTE
from routing.record import decode
from routing.response.reviews import review_key
from routing.simulation import Simulation
from routing.state import Fact


def review(sim: Simulation, incident: str = "INC-1", **said: Any) -> None:
    sim.feed(Reviewed(at=sim.now, by="anna", incident=incident, **said))


def test_a_part_is_replaced_alone_and_the_timeline_says_which() -> None:
    sim = Simulation(POLICY, START, World())
    sim.feed(firing())
    review(sim, impact="nobody could book", root_cause="unknown")
    sim.pass_time(START + MINUTE)
    review(sim, root_cause="a full disk")
    found = only(sim).review
    assert found == Review(impact="nobody could book", root_cause="a full disk", by="anna", at=START + MINUTE)
    assert "report: impact, root cause written by anna" in lines(sim)
    assert lines(sim)[-1] == "report: root cause written by anna"


def test_of_what_is_in_the_archive_it_is_kept_beside_it() -> None:
    sim = Simulation(POLICY, START, World())
    sim.feed(firing())
    sim.state.apply(type(sim.decisions[0][1])(changes=(Retire("INC-1"),)))
    review(sim, impact="nobody could book")
    review(sim, measures="larger disks")
    fact = sim.state.get(Table.FACT, review_key("INC-1"))
    assert isinstance(fact, Fact)
    found = decode(Review, fact.value)
    assert (found.impact, found.measures, found.by) == ("nobody could book", "larger disks", "anna")


def test_of_what_never_was_nothing_is_kept() -> None:
    sim = Simulation(POLICY, START, World())
    sim.feed(firing())
    for name in ("INC-2", "INC-0", "INC-x", "", "2"):
        review(sim, incident=name, impact="invented")
    assert [key for key in sim.state.tables[Table.FACT] if key.startswith("review:")] == []
