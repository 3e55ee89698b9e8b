"""Events of which the vendor tells the rest only when asked: decided once, with it, or without it and for a reason."""

from dataclasses import replace

import msgspec
import pytest
from small_policy import HERE, POLICY, START, World, firing

from routing.alerts.hints import HOLD_MS
from routing.audit import audit
from routing.decision import Table
from routing.entry import AnyEntry, Signal, Unretrieved
from routing.event import Event, Status
from routing.incident import Incident
from routing.instant import SECOND
from routing.policy import Secret, Source
from routing.simulation import Simulation

ASKED = Source("stripe", "stripe", (), HERE, poll={"api_key": Secret("STRIPE_API_KEY")})
ALONE = replace(ASKED, poll={})


def asked(source: Source = ASKED) -> Simulation:
    return Simulation(replace(POLICY, sources={"stripe": source}), START, World())


def hint(*, partial: bool = True, status: Status = Status.FIRING) -> Signal:
    event = Event(
        source="stripe", vendor="stripe", kind="worse", status=status, key="account:acct_1", title="Account updated",
        vendor_id="evt_1", partial=partial, starts_at=START,
    )  # fmt: skip
    return Signal(at=START, event=event)


def whole(of: str, status: Status = Status.FIRING) -> Signal:
    found = hint(partial=False, status=status)
    event = Event(
        **{name: getattr(found.event, name) for name in found.event.__struct_fields__}
        | {"vendor_id": "evt_1#whole"}
    )
    return Signal(at=START + SECOND, event=event, found="retrieval", completes=of)


def did(sim: Simulation) -> list[tuple[str, str]]:
    """(entry that the verdict is about, verdict) in order."""
    return [
        (decision.about or entry, decision.verdict.did)
        for entry, decision in sim.decisions
        if decision.verdict is not None
    ]


def waiting(sim: Simulation) -> int:
    timers = [key for key in sim.state.timers() if key.startswith("expire:hint:")]
    assert len(timers) == len(sim.state.tables[Table.HINT])
    return len(timers)


def only(sim: Simulation) -> Incident:
    (incident,) = sim.incidents()
    return incident


def test_it_waits_and_is_decided_with_its_rest() -> None:
    sim = asked()
    sim.feed(hint(), "u1-0")
    assert (sim.incidents(), waiting(sim)) == ([], 1)
    sim.pass_time(START + SECOND)
    sim.feed(whole("u1-0"), "u2-0")
    assert waiting(sim) == 0
    assert did(sim) == [("u1-0", "held"), ("u2-0", "opened")]
    sim.pass_time(START + 2 * HOLD_MS)
    assert len(sim.incidents()) == 1
    assert only(sim).events == 1


def test_what_its_rest_says_counts() -> None:
    sim = asked()
    sim.feed(hint(), "u1-0")
    sim.feed(whole("u1-0", Status.RESOLVED), "u2-0")
    sim.pass_time(START + 2 * HOLD_MS)
    assert sim.incidents() == []


def test_where_nobody_can_get_it_it_is_decided_on_what_it_has_and_says_why() -> None:
    sim = asked()
    sim.feed(hint(), "u1-0")
    sim.feed(Unretrieved(at=START, event="u1-0", why="Stripe: answered 403"), "c1-0")
    assert did(sim) == [("u1-0", "held"), ("u1-0", "opened")]
    verdict = sim.decisions[-1][1].verdict
    assert verdict is not None
    assert "could not be retrieved: Stripe: answered 403" in verdict.reasons[-1].text
    assert any("its rest is not known" in moment.what for _, moment in sim.moments)
    assert waiting(sim) == 0


def test_where_nobody_says_anything_it_waits_no_longer_than_so() -> None:
    sim = asked()
    sim.feed(hint(), "u1-0")
    sim.pass_time(START + HOLD_MS - 1)
    assert sim.incidents() == []
    sim.pass_time(START + HOLD_MS)
    assert only(sim).title == "Account updated"
    assert did(sim) == [("u1-0", "held"), ("u1-0", "opened")]


@pytest.mark.parametrize("first", ["whole", "given up"])
def test_what_comes_after_it_was_decided_changes_nothing_or_adds(first: str) -> None:
    sim = asked()
    sim.feed(hint(), "u1-0")
    gone = Unretrieved(at=START, event="u1-0", why="too late")
    pair: list[tuple[AnyEntry, str]] = [(whole("u1-0"), "u2-0"), (gone, "c1-0")]
    for entry, place in pair if first == "whole" else reversed(pair):
        sim.feed(entry, place)
    assert len(sim.incidents()) == 1
    assert only(sim).events == (1 if first == "whole" else 2)


def test_a_source_whose_vendor_is_not_asked_waits_for_nothing() -> None:
    sim = asked(ALONE)
    sim.feed(hint(), "u1-0")
    assert did(sim) == [("u1-0", "opened")]
    assert waiting(sim) == 0


def test_an_event_that_is_whole_does_not_wait() -> None:
    sim = asked()
    sim.feed(hint(partial=False), "u1-0")
    assert did(sim) == [("u1-0", "opened")]


def test_a_replay_waits_for_nothing() -> None:
    """The whole has an id that is known already: it would be waited for in vain."""
    sim = asked()
    sim.feed(msgspec.structs.replace(hint(), replay_of="u1-0"), "u9-0")
    assert did(sim) == [("u9-0", "opened")]


def test_the_auditor_sees_what_nothing_would_ever_decide() -> None:
    sim = asked()
    sim.feed(hint(), "u1-0")
    assert audit(sim.state, sim.now) == []
    sim.state.tables[Table.TIMER].pop("expire:hint:u1-0")
    assert [finding.subject for finding in audit(sim.state, sim.now)] == ["u1-0"]


def test_who_says_it_of_nothing_we_wait_for_changes_nothing() -> None:
    sim = asked()
    sim.feed(firing(), "u1-0")
    before = len(sim.incidents())
    sim.feed(Unretrieved(at=START, event="u1-0", why="x"), "c1-0")
    assert len(sim.incidents()) == before
