"""Records are data: the collector of reference cycles has nothing to do with them, however many there are."""

import gc

from small_policy import POLICY, START, World, firing

from routing.decision import Decision
from routing.incident import Incident
from routing.record import Record
from routing.simulation import Simulation


def test_neither_records_nor_decisions_are_looked_through_for_cycles() -> None:
    sim = Simulation(POLICY, START, World())
    decision = sim.feed(firing())
    (incident,) = sim.incidents()
    assert isinstance(incident, Incident)
    assert decision.changes
    for each in (incident, decision, *decision.changes):
        assert not gc.is_tracked(each)


def test_no_kind_of_record_asks_for_it() -> None:
    kinds = [Record]
    for kind in kinds:
        kinds += kind.__subclasses__()
    assert len(kinds) > 40
    assert [kind for kind in (*kinds, Decision) if kind.__struct_config__.gc] == []
