"""What a call asks of Twilio: machines told from people, each person's language, a question where one waits."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import kept
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from notices import MESSAGE, notice
from small_policy import POLICY
from twilio_standin import FROM, TwilioStandin
from vendor_server import Misbehaviour

from routing.delivery import Message, Purpose
from routing.entry import Outcome, Verb
from routing.errors import DeliveryError
from routing.incident import Phase
from routing.ports import Notification, Sent
from routing.response.phrases import PHRASES, phrases
from workers import twilio as api
from workers.channels import twilio_voice

ANNA = POLICY.contacts["anna"]


@pytest.fixture
def twilio() -> Iterator[TwilioStandin]:
    with TwilioStandin() as server:
        yield server


def document(notification: Notification, **settings: Any) -> ET.Element:
    made = twilio_voice.Settings(
        account_sid="AC" + "0" * 32, api_key="SK" + "0" * 32, api_secret="s", from_number=FROM, **settings
    )
    text = twilio_voice.twiml(notification, made)
    assert len(text) <= twilio_voice.MAX_TWIML
    return ET.fromstring(text)  # noqa: S314  # made by us


def said(found: ET.Element) -> list[tuple[str, str, str]]:
    """Text, language and voice of all that is spoken, each once."""
    spoken = [
        (each.text or "", each.get("language", ""), each.get("voice", "")) for each in found.iter("Say")
    ]
    return list(dict.fromkeys(spoken))


def test_a_machine_is_told_from_a_person_beside_the_call(twilio: TwilioStandin) -> None:
    twilio_voice.send(notice(), twilio_voice.Settings(**twilio.settings()), 2.0)
    form = twilio.calls[0].form
    assert (form["MachineDetection"], form["AsyncAmd"]) == ("Enable", "true")
    assert twilio.made[0].machine_callback == "https://tocsin.example/callbacks/twilio/machine/INC-1-d1"


@pytest.mark.parametrize(
    ("settings", "callback_url"),
    [({"machine_detection": False}, "https://tocsin.example/callbacks"), ({}, "")],
    ids=["switched off", "nobody could be told"],
)
def test_nobody_pays_for_a_detection_that_is_not_used(
    twilio: TwilioStandin, settings: dict[str, Any], callback_url: str
) -> None:
    made = twilio_voice.Settings(**twilio.settings(**settings))
    twilio_voice.send(notice(callback_url=callback_url), made, 2.0)
    assert "MachineDetection" not in twilio.calls[0].form


def test_the_call_speaks_the_persons_language_and_voice() -> None:
    anna = replace(ANNA, language="pl-PL", voice="Polly.Ewa")
    found = document(notice(person=anna), language="en-GB", voice="Polly.Amy")
    assert said(found) == [
        ("Tocsin. Severity 0. Incident 1. Site is down.", "pl-PL", "Polly.Ewa"),
        (phrases("pl").keys, "pl-PL", "Polly.Ewa"),
    ]
    gather = found.find("Gather")
    assert gather is not None
    assert gather.get("action", "").endswith("INC-1-d1?language=pl-PL&voice=Polly.Ewa&round=1")


@pytest.mark.parametrize(
    ("person", "own", "ours"),
    [
        ({}, ("en-GB", "Polly.Amy"), ("en-GB", "Polly.Amy")),
        ({"language": "de"}, ("de-DE", ""), ("de-DE", "")),
        ({"language": "fr-FR"}, ("fr-FR", ""), ("en-US", "")),
        (
            {"language": "de-AT", "voice": "Polly.Hannah"},
            ("de-AT", "Polly.Hannah"),
            ("de-AT", "Polly.Hannah"),
        ),
    ],
    ids=["the channel's", "a country is added", "no phrases of ours: in English", "a voice of their own"],
)
def test_who_names_less_gets_the_channels_and_what_we_cannot_say_is_said_in_english(
    person: dict[str, Any], own: tuple[str, str], ours: tuple[str, str]
) -> None:
    found = said(document(notice(person=replace(ANNA, **person)), language="en-GB", voice="Polly.Amy"))
    assert [each[1:] for each in found] == [own, ours]


def test_a_page_that_asks_about_a_run_offers_the_two_keys_and_no_other_does() -> None:
    assert said(document(notice(run="INC-1-r1")))[1][0] == f"{phrases('').decide} {phrases('').keys}"
    assert "1 to approve" not in " ".join(document(notice()).itertext())


def test_the_message_is_said_twice_and_no_key_is_an_answer_too() -> None:
    gather = document(notice()).find("Gather")
    assert gather is not None
    assert gather.get("actionOnEmptyResult") == "true"
    assert [each.text for each in gather].count("Tocsin. Severity 0. Incident 1. Site is down.") == 2


@given(speech=st.text(max_size=6000), language=st.sampled_from(["", "pl-PL", "de-DE", "fr-FR"]))
@examples(60)
def test_any_text_in_any_language_fits_and_leaves_room_for_the_keys(speech: str, language: str) -> None:
    found = document(
        notice(
            message=Message(title="t", body="b", speech=speech),
            person=replace(ANNA, language=language),
            run="INC-1-r1",
            repeat=True,
        )
    )
    assert phrases(language).keys in " ".join(found.itertext())


@pytest.mark.parametrize("code", sorted(PHRASES))
def test_every_language_names_every_key_and_answers_every_one(code: str) -> None:
    found = PHRASES[code]
    assert all(digit in found.keys for digit in "456")
    assert all(digit in found.decide for digit in "12")
    assert set(found.done) == {Verb.ACK, Verb.RESOLVE, Verb.ESCALATE, Verb.APPROVE, Verb.DENY}
    assert len(set(found.done.values())) == len(found.done)
    assert "{who}" in found.taken


def test_the_standin_refuses_a_detection_twilio_does_not_know(twilio: TwilioStandin) -> None:
    account = twilio_voice.Settings(**twilio.settings())
    form: api.Form = {"To": ANNA.methods[0].address, "From": FROM, "Twiml": "<Response/>", "Timeout": "30"}
    with pytest.raises(DeliveryError, match="21205"):
        api.create(account, "Calls", {**form, "MachineDetection": "Maybe"}, 2.0)


def recall(twilio: TwilioStandin, sid: str, **changes: Any) -> Sent:
    taken = kept.incident(phase=Phase.ACKNOWLEDGED, acknowledged_by="bob")
    fields = {"purpose": Purpose.RECALL, "recalls": sid, "standing": taken, **changes}
    return twilio_voice.send(notice(**fields), twilio_voice.Settings(**twilio.settings()), 2.0)


def rung(twilio: TwilioStandin) -> str:
    return twilio_voice.send(notice(), twilio_voice.Settings(**twilio.settings()), 2.0).provider_id


def test_a_call_that_rings_is_ended(twilio: TwilioStandin) -> None:
    sid = rung(twilio)
    sent = recall(twilio, sid)
    assert (twilio.states[sid], sent.provider_id) == ("canceled", sid)
    assert len(twilio.made) == 1, "nothing rings for it"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "bob has it already."),
        ({"standing": None}, "It is resolved already."),
        ({"person": replace(ANNA, language="pl")}, "Już się tym zajmuje bob."),
    ],
)
def test_whoever_has_picked_up_hears_who_has_it(
    twilio: TwilioStandin, changes: dict[str, Any], said: str
) -> None:
    sid = rung(twilio)
    twilio.states[sid] = "in-progress"
    recall(twilio, sid, **changes)
    heard = ET.fromstring(twilio.heard[sid])  # noqa: S314  # made by us
    assert [each.tag for each in heard] == ["Say", "Hangup"]
    assert heard[0].text == said


def test_a_call_that_is_over_stays_so(twilio: TwilioStandin) -> None:
    sid = rung(twilio)
    twilio.states[sid] = "completed"
    assert recall(twilio, sid).answer == "it was over"
    assert recall(twilio, "CA" + "f" * 32).answer == "it was over"


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (Misbehaviour(status=401), Outcome.PERMANENT),
        (Misbehaviour(status=503), Outcome.TEMPORARY),
        (Misbehaviour(hang_up=True), Outcome.UNKNOWN),
        (Misbehaviour(garbage=True), Outcome.UNKNOWN),
    ],
)
def test_a_call_that_cannot_be_ended_says_why(
    twilio: TwilioStandin, how: Misbehaviour, outcome: Outcome
) -> None:
    sid = rung(twilio)
    twilio.misbehave(how)
    with pytest.raises(DeliveryError) as failed:
        recall(twilio, sid)
    assert failed.value.outcome is outcome


def test_a_test_says_its_code_and_listens_for_six_keys(twilio: TwilioStandin) -> None:
    """Not for the keys of a page: nothing is wrong that anybody could acknowledge."""
    tested = notice(purpose=Purpose.TEST, incident="", delivery="test-0123456789")
    found = document(tested)
    assert [each.get("numDigits") for each in found.iter("Gather")] == ["6"]
    assert [text for text, _, _ in said(found)] == [MESSAGE.speech]
    twilio_voice.send(tested, twilio_voice.Settings(**twilio.settings()), 2.0)
    assert twilio.made[0].resource == "Calls"
