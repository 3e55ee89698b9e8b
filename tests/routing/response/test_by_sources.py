"""What a source says of its own alerts beside that they fire: acknowledged, noted, closed over there."""

from typing import Any

import msgspec
import pytest
from small_policy import POLICY, START, World, firing, resolved

from routing.alerts.fingerprint import fingerprint
from routing.decision import Table
from routing.delivery import Purpose
from routing.effect import Deliver
from routing.entry import AlertCommand, Signal, SwitchSet, Verb
from routing.incident import Phase
from routing.instant import HOUR, MINUTE
from routing.simulation import Simulation


@pytest.fixture
def sim() -> Simulation:
    return Simulation(POLICY, START, World())


def mark(signal: Signal) -> str:
    return fingerprint(signal.event, "")


def command(sim: Simulation, verb: Verb, alert: str = "", **more: Any) -> AlertCommand:
    more = {"source": firing().event.source, **more}
    return AlertCommand(at=sim.now, by="nagios", via="their API", verb=verb, alert=alert, **more)


def did(sim: Simulation, entry: AlertCommand) -> str:
    verdict = sim.feed(entry).verdict
    assert verdict is not None
    return verdict.did


def opened(sim: Simulation) -> str:
    """The fingerprint of the alert of INC-1, which is open from now on."""
    signal = firing(at=sim.now)
    sim.feed(signal)
    sim.pass_time(sim.now + MINUTE)
    return mark(signal)


def test_what_a_source_acknowledges_is_acknowledged_by_it_and_nobody_else_is_called(sim: Simulation) -> None:
    assert did(sim, command(sim, Verb.ACK, opened(sim))) == "acknowledged"
    (incident,) = sim.incidents()
    assert (incident.phase, incident.acknowledged_by) == (Phase.ACKNOWLEDGED, "nagios")
    assert any(what.what == "acknowledged by nagios via their API" for _, what in sim.moments)


def test_a_note_of_a_source_stands_in_the_timeline(sim: Simulation) -> None:
    assert did(sim, command(sim, Verb.NOTE, opened(sim), text="looking at it")) == "noted"
    assert [what.by for _, what in sim.moments if what.what == "note: looking at it"] == ["nagios"]


@pytest.mark.parametrize("verb", [Verb.ACK, Verb.RESOLVE])
def test_what_is_said_with_it_is_noted_first(sim: Simulation, verb: Verb) -> None:
    did(sim, command(sim, verb, opened(sim), text="it was the disk"))
    whats = [what.what for _, what in sim.moments if what.by == "nagios" or "nagios" in what.what]
    assert whats[0] == "note: it was the disk"


def test_what_a_source_closes_ends_with_its_last_alert(sim: Simulation) -> None:
    first = opened(sim)
    other = firing(at=sim.now, key="other")
    sim.feed(other)
    assert len(sim.incidents()) == 1
    assert did(sim, command(sim, Verb.RESOLVE, first)) == "resolved"
    assert sim.incidents()[0].phase is not Phase.RESOLVED
    did(sim, command(sim, Verb.RESOLVE, mark(other)))
    assert sim.incidents()[0].phase is Phase.RESOLVED


@pytest.mark.parametrize("verb", [Verb.ACK, Verb.RESOLVE])
def test_a_whole_incident_can_be_meant(sim: Simulation, verb: Verb) -> None:
    opened(sim)
    did(sim, command(sim, verb, incident="INC-1"))
    wanted = Phase.ACKNOWLEDGED if verb is Verb.ACK else Phase.RESOLVED
    assert sim.incidents()[0].phase is wanted


@pytest.mark.parametrize("verb", [Verb.ACK, Verb.NOTE, Verb.RESOLVE])
def test_a_source_touches_nothing_that_is_not_its_own(sim: Simulation, verb: Verb) -> None:
    alert = opened(sim)
    before = sim.incidents()[0]
    for entry in (
        command(sim, verb, alert, source="somebody-else"),
        command(sim, verb, "v1:0000000000000000"),
        command(sim, verb, incident="INC-1", source="somebody-else"),
        command(sim, verb, incident="INC-7"),
        command(sim, verb),
    ):
        assert did(sim, entry) == ("remembered" if verb is Verb.ACK and entry.alert else "ignored")
    assert sim.incidents()[0] == before


def test_what_is_over_stays_over(sim: Simulation) -> None:
    alert = opened(sim)
    sim.feed(resolved(at=sim.now))
    assert did(sim, command(sim, Verb.ACK, alert)) == "remembered"
    assert did(sim, command(sim, Verb.NOTE, alert, text="late")) == "ignored"
    assert sim.incidents()[0].phase is Phase.RESOLVED


def test_an_acknowledgement_that_overtook_its_report_counts_when_that_comes(sim: Simulation) -> None:
    late = firing(at=sim.now)
    sim.pass_time(sim.now + 2 * MINUTE)
    assert did(sim, command(sim, Verb.ACK, mark(late))) == "remembered"
    verdict = sim.feed(late).verdict
    assert verdict is not None
    assert verdict.did == "opened"
    (incident,) = sim.incidents()
    assert (incident.phase, incident.acknowledged_by) == (Phase.ACKNOWLEDGED, "nagios")
    told = [effect.purpose for _, effect in sim.effects if isinstance(effect, Deliver)]
    assert Purpose.PAGE not in told
    assert [key for key in sim.state.tables[Table.FACT] if "acknowledged" in key] == []


def test_an_acknowledgement_says_nothing_of_what_comes_after_it(sim: Simulation) -> None:
    did(sim, command(sim, Verb.ACK, mark(firing())))
    sim.pass_time(sim.now + MINUTE)
    opened(sim)
    assert sim.incidents()[0].phase is Phase.TRIGGERED


def test_an_acknowledgement_is_not_remembered_for_ever(sim: Simulation) -> None:
    late = firing(at=sim.now)
    did(sim, command(sim, Verb.ACK, mark(late)))
    sim.pass_time(sim.now + 2 * HOUR)
    sim.feed(late)
    assert sim.incidents()[0].phase is Phase.TRIGGERED
    assert [key for key in sim.state.tables[Table.FACT] if "acknowledged" in key] == []


def test_of_an_incident_only_a_source_s_own_alerts_end_with_its_word(sim: Simulation) -> None:
    opened(sim)
    theirs = firing(at=sim.now, key="theirs")
    sim.feed(msgspec.structs.replace(theirs, event=msgspec.structs.replace(theirs.event, source="other")))
    assert len(sim.incidents()) == 1
    did(sim, command(sim, Verb.RESOLVE, incident="INC-1"))
    (incident,) = sim.incidents()
    assert (incident.phase, incident.firing) == (Phase.TRIGGERED, 1)


def test_other_verbs_are_no_business_of_a_source(sim: Simulation) -> None:
    assert did(sim, command(sim, Verb.ESCALATE, opened(sim))) == "ignored"


def test_a_paused_source_acknowledges_nothing(sim: Simulation) -> None:
    alert = opened(sim)
    sim.feed(SwitchSet(at=sim.now, name=f"pause:{firing(at=0).event.source}", on=True))
    assert did(sim, command(sim, Verb.ACK, alert)) == "paused"
    assert sim.incidents()[0].phase is Phase.TRIGGERED
