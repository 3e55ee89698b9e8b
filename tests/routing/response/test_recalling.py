"""A phone that still rings is stilled once somebody has the incident; what its provider says of that is no failure."""

from dataclasses import replace
from typing import Any

import pytest
from small_policy import HERE, POLICY, START, World, firing, resolved
from telling import do, ladder, lines, only, pages, step

from routing.audit import audit
from routing.decision import Table
from routing.delivery import Delivery, Progress, Purpose
from routing.effect import Deliver
from routing.entry import Answer, Claimed, Delivered, Outcome, Receipt, Verb
from routing.incident import Phase
from routing.instant import MINUTE, SECOND
from routing.policy import Channel
from routing.simulation import Simulation

VOICE = Channel("voice", "twilio_voice", {}, HERE, voice=True, recalls=True)
BOB_SMS = POLICY.contacts["bob"].methods[1].address


def ringing(world: World | None = None, **voice: Any) -> Simulation:
    """Anna's phone rings; after five minutes Bob's does, too."""
    policy = ladder(step(("contact", "anna")), step(("contact", "bob")))
    channels = {**policy.channels, "voice": replace(VOICE, **voice)}
    sim = Simulation(replace(policy, channels=channels), START, world or World())
    sim.feed(firing())
    sim.pass_time(START + 5 * MINUTE + SECOND)
    return sim


def recalls(sim: Simulation) -> list[Deliver]:
    found = (each for _, each in sim.effects if isinstance(each, Deliver))
    return [each for each in found if each.purpose is Purpose.RECALL]


def call_to(sim: Simulation, who: str) -> Delivery:
    found = (each for each in sim.state.tables[Table.DELIVERY].values() if isinstance(each, Delivery))
    return next(
        each for each in found if (each.contact, each.channel, each.purpose) == (who, "voice", Purpose.PAGE)
    )


def test_an_ack_by_sms_stills_every_phone_and_nobody_is_called_again() -> None:
    sim = ringing()
    sim.feed(Answer(at=sim.now, channel="SMS", text="ack", address=BOB_SMS))
    sim.pass_time(sim.now + SECOND)
    assert [(each.contact, each.recalls) for each in recalls(sim)] == [
        ("anna", call_to(sim, "anna").provider_id),
        ("bob", call_to(sim, "bob").provider_id),
    ]
    assert recalls(sim)[0].message.speech == "bob has it"
    before = pages(sim)
    sim.pass_time(sim.now + 10 * MINUTE)
    assert pages(sim) == before
    assert audit(sim.state, sim.now) == []


def test_who_answered_by_key_is_not_hung_up_on_and_the_other_is() -> None:
    sim = ringing()
    sim.feed(Answer(at=sim.now, channel="the phone", text="4", delivery=call_to(sim, "bob").id))
    assert [each.contact for each in recalls(sim)] == ["anna"]
    assert call_to(sim, "bob").progress is Progress.ANSWERED


@pytest.mark.parametrize("status", ["canceled", "no-answer", "failed", "machine"])
def test_what_is_reported_of_a_call_we_ended_is_no_failure(status: str) -> None:
    sim = ringing()
    do(sim, Verb.ACK, by="carol")
    ended = call_to(sim, "bob")
    assert (ended.progress, ended.error) == (Progress.CANCELLED, "ended: carol has it")
    before = len(sim.effects)
    sim.feed(Receipt(at=sim.now, delivery=ended.id, status=status, provider_id=ended.provider_id))
    assert call_to(sim, "bob").progress is Progress.CANCELLED
    assert not any(" failed for good" in line for line in lines(sim))
    assert all(
        not isinstance(each, Deliver) or each.purpose is not Purpose.PAGE for _, each in sim.effects[before:]
    )


def test_an_end_stills_them_as_well() -> None:
    sim = ringing()
    sim.feed(resolved(at=sim.now))
    assert {each.message.speech for each in recalls(sim)} == {"it is resolved"}
    assert [each.contact for each in recalls(sim)] == ["anna", "bob"]


def test_a_call_that_is_taken_only_after_the_ack_is_ended_then() -> None:
    world = World()
    world.asleep = {"voice"}
    sim = ringing(world)
    page = call_to(sim, "bob")
    sim.feed(Claimed(at=sim.now, effect=page.id, attempt=1, timeout_ms=15_000))
    do(sim, Verb.ACK, by="carol")
    assert recalls(sim) == []
    sim.feed(Delivered(at=sim.now, delivery=page.id, attempt=1, outcome=Outcome.OK, provider_id="CA9"))
    assert [each.recalls for each in recalls(sim)] == ["CA9"]
    sim.feed(Delivered(at=sim.now, delivery=page.id, attempt=1, outcome=Outcome.OK, provider_id="CA9"))
    assert len(recalls(sim)) == 1


def test_a_key_pressed_in_spite_of_that_still_counts() -> None:
    sim = ringing()
    do(sim, Verb.ACK, by="carol")
    sim.feed(Answer(at=sim.now, channel="the phone", text="6", delivery=call_to(sim, "bob").id))
    assert only(sim).phase is Phase.RESOLVED


def test_what_rang_long_ago_and_what_no_module_can_end_is_left_alone() -> None:
    sim = ringing()
    sim.pass_time(START + 20 * MINUTE)
    do(sim, Verb.ACK, by="carol")
    assert "anna" not in {each.contact for each in recalls(sim)}
    other = ringing(recalls=False)
    do(other, Verb.ACK, by="carol")
    assert recalls(other) == []


def test_a_call_that_cannot_be_ended_is_said_and_pages_nobody() -> None:
    world = World()
    sim = ringing(world)
    world.refuses = {"voice": Outcome.PERMANENT}
    do(sim, Verb.ACK, by="carol")
    before = pages(sim)
    sim.pass_time(sim.now + 10 * MINUTE)
    assert "the call to bob could not be ended: voice says no" in lines(sim)
    assert (only(sim).phase, pages(sim)) == (Phase.ACKNOWLEDGED, before)
    assert audit(sim.state, sim.now) == []


def test_what_goes_on_as_another_incident_rings_on() -> None:
    sim = ringing()
    sim.feed(firing("deployment.error", key="other", at=sim.now))
    do(sim, Verb.MERGE, "INC-1", to="INC-2")
    assert next(each for each in sim.incidents() if each.id == "INC-1").merged_into == "INC-2"
    assert recalls(sim) == []
