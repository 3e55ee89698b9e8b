"""A test with a code: whoever returns it is reached there; nobody guesses it, and nobody returns it late."""

import pytest
from small_policy import POLICY, START, World
from telling import simulate

from routing.audit import audit
from routing.decision import Bury, Table
from routing.delivery import Delivery, Progress, Purpose
from routing.effect import Deliver
from routing.entry import Answer, Outcome, TrialSet
from routing.instant import DAY, MINUTE, SECOND
from routing.policy import Method
from routing.response import proofs, trials
from routing.simulation import Simulation
from routing.state import Fact

VOICE, SMS, MAIL = POLICY.contacts["anna"].methods
CODE = "123456"


def tried(
    method: Method = SMS, code: str = CODE, world: World | None = None, name: str = "test-1"
) -> Simulation:
    sim = simulate(POLICY, world)
    send(sim, method, code, name)
    sim.pass_time(START + SECOND)
    return sim


def send(sim: Simulation, method: Method = SMS, code: str = CODE, name: str = "test-1") -> None:
    sim.feed(
        TrialSet(
            at=sim.now, by="ben", id=name, contact="anna", channel=method.channel, address=method.address, code=code
        )
    )  # fmt: skip


def say(sim: Simulation, text: str, *, address: str = "", delivery: str = "", channel: str = "SMS") -> None:
    sim.feed(Answer(at=sim.now, channel=channel, text=text, address=address, delivery=delivery))


def proof(sim: Simulation, method: Method = SMS) -> str:
    found = sim.state.tables[Table.FACT].get(proofs.proof_key(method.channel, method.address))
    return found.value if isinstance(found, Fact) else ""


def delivery(sim: Simulation, name: str = "test-1") -> Delivery:
    found = sim.state.tables[Table.NOTICE][name]
    assert isinstance(found, Delivery)
    return found


def test_it_leaves_as_a_test_with_its_code_in_words_for_eye_and_ear() -> None:
    sim = tried(VOICE)
    (sent,) = [each for _, each in sim.effects if isinstance(each, Deliver)]
    assert (sent.purpose, sent.channel, sent.address, sent.incident) == (
        Purpose.TEST, "voice", VOICE.address, "",
    )  # fmt: skip
    assert "nothing is wrong" in sent.message.body
    assert "123 456" in sent.message.body
    assert "1, 2, 3, 4, 5, 6, Press these six digits" in sent.message.speech
    assert audit(sim.state, sim.now) == []


@pytest.mark.parametrize("text", ["123456", " 123 456 ", "123-456.", "123456!"])
def test_the_code_sent_back_from_the_address_proves_it(text: str) -> None:
    sim = tried()
    say(sim, text, address=SMS.address.replace("+48", "+48 "))
    assert proof(sim).startswith("by the code of test-1 over SMS at 2025-11-24T")
    assert proofs.proven_at(proof(sim)) // 1000 == sim.now // 1000
    assert delivery(sim).progress is Progress.ANSWERED
    assert sim.state.tables[Table.TRIAL] == {}


def test_keys_and_who_tells_the_operator_prove_it_too() -> None:
    sim = tried(VOICE)
    say(sim, CODE, delivery="test-1", channel="the phone")
    assert "over the phone" in proof(sim, VOICE)
    sim = tried(MAIL)
    say(sim, CODE, delivery="test-1", channel="ben's word")
    assert "over ben's word" in proof(sim, MAIL)


def test_the_link_proves_it_without_a_code_and_another_key_does_not() -> None:
    sim = tried(MAIL)
    say(sim, "4", delivery="test-1", channel="the phone")
    assert proof(sim, MAIL) == ""
    say(sim, "ack", delivery="test-1", channel="a link")
    assert proof(sim, MAIL).startswith("answered test-1 at ")


def test_a_code_from_elsewhere_proves_nothing() -> None:
    sim = tried()
    say(sim, CODE, address="+48600000000")
    assert proof(sim) == ""


def test_five_wrong_guesses_end_it() -> None:
    sim = tried()
    for guess in range(trials.GUESSES):
        say(sim, f"00000{guess}", address=SMS.address)
    say(sim, CODE, address=SMS.address)
    assert proof(sim) == ""
    assert sim.state.tables[Table.TRIAL] == {}


def test_a_code_is_good_for_ten_minutes() -> None:
    sim = tried()
    sim.pass_time(START + trials.GOOD_FOR_MS - SECOND)
    assert len(sim.state.tables[Table.TRIAL]) == 1
    sim.pass_time(START + trials.GOOD_FOR_MS + MINUTE)
    say(sim, CODE, address=SMS.address)
    assert proof(sim) == ""
    assert sim.state.tables[Table.TRIAL] == {}


def test_a_second_code_ends_the_first() -> None:
    sim = tried()
    send(sim, code="654321", name="test-2")
    say(sim, CODE, address=SMS.address)
    assert proof(sim) == ""
    say(sim, "654321", address=SMS.address)
    assert "test-2" in proof(sim)


def test_what_fails_proves_nothing_and_is_no_dead_letter() -> None:
    world = World()
    world.refuses = {"sms": Outcome.PERMANENT}
    sim = tried(world=world)
    assert delivery(sim).progress is Progress.FAILED
    assert [change for _, each in sim.decisions for change in each.changes if isinstance(change, Bury)] == []


def test_an_address_that_is_not_theirs_is_not_written_to() -> None:
    sim = tried(Method("sms", "+48999999999"))
    assert [each for _, each in sim.effects if isinstance(each, Deliver)] == []


def test_a_proof_counts_for_its_time_and_an_answer_makes_it_fresh_again() -> None:
    sim = tried()
    say(sim, CODE, address=SMS.address)
    assert proofs.is_fresh(proof(sim), sim.now, 90 * DAY)
    assert not proofs.is_fresh(proof(sim), sim.now + 91 * DAY, 90 * DAY)
    assert not proofs.is_fresh("", sim.now, 90 * DAY)
    assert proofs.proven_at("by somebody who wrote nonsense") == 0
