"""Stories of phones: machines, busy lines, keys that answer a question, callbacks of calls long over."""

from dataclasses import replace

import msgspec
import pytest
from small_policy import HERE, POLICY, ROLLBACK, START, World, firing
from telling import deliveries, do, lines, pages, simulate

from routing.audit import audit
from routing.decision import Table
from routing.delivery import Delivery, Progress, Purpose
from routing.effect import Deliver
from routing.entry import Answer, Outcome, Receipt, Verb
from routing.instant import MINUTE, SECOND
from routing.policy import Approvers
from routing.run import Run, RunPhase
from routing.simulation import Simulation


def ringing(world: World | None = None) -> Simulation:
    """Anna's phone rings for a SEV-0; INC-1-d1 is her call, INC-1-d2 her SMS."""
    world = world or World()
    world.health_failures = 0
    sim = simulate(replace(POLICY, runbooks=()), world)
    sim.feed(firing())
    sim.pass_time(START + SECOND)
    return sim


def delivery(sim: Simulation, name: str) -> Delivery:
    found = sim.state.get(Table.DELIVERY, name)
    assert isinstance(found, Delivery)
    return found


def receipt(sim: Simulation, status: str, provider_id: str = "", name: str = "INC-1-d1") -> None:
    sim.feed(Receipt(at=sim.now, delivery=name, status=status, provider_id=provider_id))


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled", "machine"])
def test_a_phone_that_reached_nobody_falls_to_the_next_method_and_the_next_person_at_once(
    status: str,
) -> None:
    world = World()
    world.refuses = {"sms": Outcome.PERMANENT, "mail": Outcome.PERMANENT}
    sim = ringing(world)
    receipt(sim, status)
    sim.pass_time(START + 2 * SECOND)
    assert ("bob", "voice") in [page[1:] for page in pages(sim)], "not after five minutes: at once"


def test_a_machine_that_picked_up_is_no_answer_though_twilio_said_in_progress() -> None:
    sim = ringing()
    receipt(sim, "in-progress", "P-INC-1-d1-1")
    assert delivery(sim, "INC-1-d1").progress is Progress.DELIVERED
    receipt(sim, "machine", "P-INC-1-d1-1")
    sim.pass_time(START + 2 * SECOND)
    assert delivery(sim, "INC-1-d1").progress is Progress.FAILED
    assert ("anna", "mail") in [page[1:] for page in pages(sim)], "the method after phone and SMS"
    assert audit(sim.state, sim.now) == []


def test_what_was_taken_for_a_machine_may_still_press_a_key() -> None:
    sim = ringing()
    receipt(sim, "machine")
    sim.feed(Answer(at=sim.now, channel="the phone", text="4", delivery="INC-1-d1"))
    assert sim.incidents()[0].acknowledged_by == "anna"


def test_a_person_who_answered_is_not_called_a_machine_by_a_late_word() -> None:
    sim = ringing()
    receipt(sim, "answered")
    receipt(sim, "machine")
    receipt(sim, "no-answer")
    assert delivery(sim, "INC-1-d1").progress is Progress.ANSWERED
    assert len(pages(sim)) == 2


def test_bad_news_of_a_call_before_this_attempt_does_not_end_it() -> None:
    sim = ringing()
    known = delivery(sim, "INC-1-d1").provider_id
    receipt(sim, "no-answer", "CA-of-an-earlier-attempt")
    assert delivery(sim, "INC-1-d1").progress is Progress.SENT
    receipt(sim, "no-answer", known)
    assert delivery(sim, "INC-1-d1").progress is Progress.FAILED


def test_a_callback_that_comes_twice_is_one_failure() -> None:
    sim = ringing()
    for _ in range(2):
        receipt(sim, "busy")
        sim.pass_time(sim.now + SECOND)
    failed = [line for line in lines(sim) if "failed for good" in line]
    assert failed == ["voice to anna failed for good: busy"]
    assert [page[1:] for page in pages(sim)] == [("anna", "voice"), ("anna", "sms"), ("anna", "mail")]


def asking() -> Simulation:
    """A SEV-1 whose rollback waits for Anna's approval; she was asked, and the page's hold ran out."""
    approval = Approvers((("contact", "anna"), ("contact", "carol")), 1, 30 * MINUTE, HERE)
    book = replace(ROLLBACK, mode="approve", approval=approval)
    world = World()
    sim = Simulation(replace(POLICY, runbooks=(book,)), START, world)
    sim.feed(firing("api-broken"))
    sim.pass_time(START + 6 * MINUTE)
    return sim


def call(sim: Simulation, who: str = "anna") -> Deliver:
    return next(
        each
        for _, each in reversed(sim.effects)
        if isinstance(each, Deliver) and (each.contact, each.channel) == (who, "voice")
    )


def run(sim: Simulation) -> Run:
    found = sim.state.get(Table.RUN, "INC-1-r1")
    assert isinstance(found, Run)
    return found


def test_a_page_asks_who_may_approve_what_waits_and_says_what_it_is() -> None:
    sim = asking()
    page = call(sim)
    assert page.purpose is Purpose.PAGE
    assert page.run == "INC-1-r1"
    assert "Waits for your approval: Roll back production, target vercel:site." in page.message.body
    assert page.message.speech.endswith("Waiting for approval: Roll back production.")


@pytest.mark.parametrize(("key", "phase"), [("1", RunPhase.SUCCEEDED), ("2", RunPhase.REFUSED)])
def test_its_keys_reach_the_run_that_waits(key: str, phase: RunPhase) -> None:
    sim = asking()
    sim.feed(Answer(at=sim.now, channel="the phone", text=key, delivery=call(sim).id))
    sim.pass_time(sim.now + 4 * MINUTE)
    assert run(sim).phase is phase


def test_whoever_may_not_approve_is_not_asked_and_their_keys_mean_nothing() -> None:
    sim = asking()
    sim.pass_time(START + 12 * MINUTE)
    page = call(sim, "bob")
    assert (page.run, "approval" in page.message.body) == ("", False)
    for key in ("1", "2"):
        sim.feed(Answer(at=sim.now, channel="the phone", text=key, delivery=page.id))
    assert run(sim).phase is RunPhase.WAITING
    assert "bob sent something we do not understand" in lines(sim)


def test_a_page_after_the_answer_asks_no_more() -> None:
    sim = asking()
    do(sim, Verb.DENY, text="INC-1-r1", by="carol")
    sim.pass_time(sim.now + 30 * MINUTE)
    later = [each for at, each in sim.effects if isinstance(each, Deliver) and at > START + 10 * MINUTE]
    assert any(each.purpose is Purpose.PAGE for each in later)
    assert {each.run for each in later} == {""}


def test_a_word_approves_what_only_a_page_told_of() -> None:
    sim = asking()
    address = next(
        each.address for each in deliveries(sim) if each.contact == "anna" and each.channel == "sms"
    )
    for name, each in list(sim.state.tables[Table.DELIVERY].items()):
        if isinstance(each, Delivery) and each.purpose is Purpose.APPROVAL:
            sim.state.pages.drop(each)
            sim.state.tables[Table.DELIVERY][name] = msgspec.structs.replace(each, address="a@example.com")
    sim.feed(Answer(at=sim.now, channel="SMS", text="approve", address=address))
    sim.pass_time(sim.now + 4 * MINUTE)
    assert run(sim).approved_by == ["anna"]


def test_an_answer_that_names_another_incident_is_not_for_the_run_of_this_one() -> None:
    sim = asking()
    address = next(
        each.address for each in deliveries(sim) if each.contact == "anna" and each.channel == "sms"
    )
    sim.feed(firing("deployment.error", key="other", at=sim.now))
    assert [each.id for each in sim.incidents()] == ["INC-1", "INC-2"]
    sim.feed(Answer(at=sim.now, channel="SMS", text="approve 2", address=address))
    assert run(sim).phase is RunPhase.WAITING
    assert "anna answered, and no run does not wait for approval" in lines(sim, "INC-2")
