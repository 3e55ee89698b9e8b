"""What people write back: help for what means nothing, and STOP, which closes a way until START."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from small_policy import POLICY, START, World, firing
from telling import lines, pages, simulate

from routing.audit import audit
from routing.decision import Table
from routing.delivery import Delivery, Progress, Purpose
from routing.effect import Deliver
from routing.entry import Answer, AnyEntry, Delivered, Outcome, Receipt
from routing.instant import DAY, MINUTE, SECOND
from routing.policy import Contact
from routing.response import helping, optouts
from routing.response.proofs import stop_key
from routing.severity import Severity
from routing.simulation import Simulation
from routing.warnings import stopped

ANNA = POLICY.contacts["anna"]
PHONE = ANNA.methods[1].address


def ringing(world: World | None = None) -> Simulation:
    """A SEV-0: Anna is called and texted."""
    sim = simulate(replace(POLICY, runbooks=()), world)
    sim.feed(firing())
    sim.pass_time(START + SECOND)
    return sim


def write(sim: Simulation, text: str, address: str = PHONE) -> None:
    sim.feed(Answer(at=sim.now, channel="SMS", text=text, address=address))
    sim.pass_time(sim.now + SECOND)


def helped(sim: Simulation) -> list[Deliver]:
    found = (each for _, each in sim.effects if isinstance(each, Deliver))
    return [each for each in found if each.purpose is Purpose.NOTICE]


@pytest.mark.parametrize("text", ["what?", "ok", "ack now please", "9", "ack 99"])
def test_what_is_not_understood_is_answered_with_what_can_be_written(text: str) -> None:
    sim = ringing()
    write(sim, text)
    (notice,) = helped(sim)
    assert (notice.contact, notice.channel, notice.address) == ("anna", "sms", PHONE)
    assert "Open: [INC-1] SEV-0 site-down" in notice.message.title
    assert notice.message.body == helping.WORDS


@pytest.mark.parametrize("text", ["help", "HELP!", " info ", "?"])
def test_whoever_asks_is_told(text: str) -> None:
    sim = ringing()
    write(sim, text)
    assert helped(sim)[0].message.title == "Open: [INC-1] SEV-0 site-down"
    assert not any("do not understand" in line for line in lines(sim))


def test_an_answer_when_nothing_is_open_says_so() -> None:
    sim = simulate(POLICY)
    write(sim, "ack")
    assert helped(sim)[0].message.title == "Nothing is open that you were paged for."


def test_an_answer_that_counts_is_not_explained() -> None:
    sim = ringing()
    write(sim, "1a")
    assert sim.incidents()[0].acknowledged_by == "anna"
    assert helped(sim) == []


def test_strangers_and_keys_are_not_written_to() -> None:
    sim = ringing()
    write(sim, "what?", "+19995550123")
    sim.feed(Answer(at=sim.now, channel="the phone", text="9", delivery="INC-1-d1"))
    assert helped(sim) == []


def test_two_machines_never_write_to_each_other_for_long() -> None:
    """A phone that answers every message of ours by itself, for two days."""
    sim = ringing()
    for _ in range(2 * 24 * 60):
        write(sim, "I am driving")
        sim.pass_time(sim.now + MINUTE)
    assert len(helped(sim)) <= 3 * helping.MOST_A_DAY
    assert len(helped(sim)) > helping.MOST_A_DAY, "and the next day somebody may ask again"


def state(sim: Simulation, channel: str) -> bool:
    return stop_key(channel, PHONE) in sim.state.tables[Table.FACT]


@pytest.mark.parametrize("word", ["STOP", "stop.", "Unsubscribe", "cancel"])
def test_stop_closes_the_way_and_the_next_method_has_its_turn_at_once(word: str) -> None:
    sim = ringing()
    write(sim, word)
    assert (state(sim, "sms"), state(sim, "voice")) == (True, False)
    assert [page[1:] for page in pages(sim)] == [("anna", "voice"), ("anna", "sms"), ("anna", "mail")]
    assert "sms to anna failed for good: they wrote STOP" in lines(sim)
    assert audit(sim.state, sim.now) == []
    assert helped(sim) == [], "who wants no messages gets none about it"


def test_a_closed_way_is_passed_over_until_start() -> None:
    sim = ringing()
    write(sim, "STOP")
    before = len(sim.effects)
    sim.feed(Answer(at=sim.now, channel="the phone", text="6", delivery="INC-1-d1"))
    sim.feed(firing("deployment.error", key="b", at=sim.now))
    told = {
        each.channel
        for _, each in sim.effects[before:]
        if isinstance(each, Deliver) and each.contact == "anna"
    }
    assert told == {"mail"}, "the end is told, by what is left"
    write(sim, "start")
    assert not state(sim, "sms")
    sim.pass_time(sim.now + DAY)
    before = len(sim.effects)
    sim.feed(firing("site-down", key="c", at=sim.now))
    again = [
        each.channel
        for _, each in sim.effects[before:]
        if isinstance(each, Deliver) and each.contact == "anna"
    ]
    assert again == ["voice", "sms"]


def test_stop_of_who_is_not_waited_for_sends_nothing() -> None:
    sim = simulate(POLICY)
    write(sim, "STOP")
    assert state(sim, "sms")
    assert sim.effects == []


def test_yes_is_a_start_only_of_who_had_stopped() -> None:
    sim = ringing()
    write(sim, "yes")
    assert helped(sim), "it means nothing else"
    write(sim, "STOP")
    write(sim, "yes")
    assert not state(sim, "sms")


def test_in_a_chat_stop_is_a_word_like_others() -> None:
    sim = simulate(POLICY)
    write(sim, "STOP", "anna@example.com")
    assert stop_key("mail", "anna@example.com") not in sim.state.tables[Table.FACT]


class Refuses(World):
    """The SMS provider says that Anna has opted out."""

    def _answer(self, effect: object, name: str, now: int) -> AnyEntry:
        if isinstance(effect, Deliver) and effect.channel == "sms":
            return Delivered(
                at=now, delivery=effect.id, attempt=effect.attempt, outcome=Outcome.PERMANENT,
                error="Twilio answered 400 (21610)", opted_out=True,
            )  # fmt: skip
        return super()._answer(effect, name, now)  # type: ignore[arg-type]


def by_answer() -> Simulation:
    return ringing(Refuses())


def by_receipt() -> Simulation:
    sim = ringing()
    sim.feed(Receipt(at=sim.now, delivery="INC-1-d2", status="opted-out", detail="21610"))
    sim.pass_time(sim.now + SECOND)
    return sim


@pytest.mark.parametrize("refused", [by_answer, by_receipt])
def test_a_provider_that_refuses_for_it_closes_the_way_as_well(refused: object) -> None:
    sim = refused()  # type: ignore[operator]
    assert state(sim, "sms")
    failed = sim.state.get(Table.DELIVERY, "INC-1-d2")
    assert isinstance(failed, Delivery)
    assert failed.progress is Progress.FAILED
    assert ("anna", "mail") in [page[1:] for page in pages(sim)]


def test_a_contact_with_nothing_left_is_tried_by_all_the_same() -> None:
    sim = simulate(POLICY)
    only = replace(ANNA, methods=(ANNA.methods[1],), by_severity={}, quiet=(ANNA.methods[1],))
    sim.policy = replace(sim.policy, contacts={**sim.policy.contacts, "anna": only}, runbooks=())
    write(sim, "STOP")
    sim.feed(firing(at=sim.now))
    assert pages(sim)[0][1:] == ("anna", "sms")


def left(contact: Contact, *closed: str) -> Contact:
    sim = simulate(POLICY)
    from routing.draft import Draft

    draft = Draft(sim.policy, sim.state, "c1-0", START)
    for method in contact.methods:
        if method.channel in closed:
            optouts.stopped(draft, method.channel, method.address, "they wrote STOP")
    return optouts.reachable(draft, contact)


def test_what_follows_a_closed_way_does_not_wait_for_it() -> None:
    voice, sms, mail = ANNA.methods
    contact = replace(ANNA, by_severity={Severity.SEV1: (sms, replace(voice, after_ms=3 * MINUTE))})
    assert left(contact, "sms").by_severity[Severity.SEV1] == (voice,)
    assert left(contact, "sms").quiet == (mail,)
    assert left(contact).by_severity is contact.by_severity


def test_quiet_messages_never_ring_though_all_that_is_quiet_is_closed() -> None:
    voice = ANNA.methods[0]
    found = left(replace(ANNA, quiet=(ANNA.methods[1],)), "sms", "mail")
    assert found.methods == (voice,)
    assert voice not in found.quiet


def test_check_names_what_is_closed() -> None:
    known = {stop_key("sms", PHONE)}.__contains__
    named: Iterator[str] = (str(each) for each in stopped(POLICY, known))
    assert [each for each in named if "contacts.anna" in each and "START" in each]
