"""What a caller hears: what became of the key, the message again, or that somebody else has it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import kept
import pytest
from calling_back import call
from notices import HOSTILE
from reception import Reception

from receiver import twilio_call
from receiver.twilio_call import ROUNDS, Heard
from routing.decision import Decision, Put, Table
from routing.delivery import Message, Progress
from routing.entry import Answer, Lane, Receipt, Verb
from routing.incident import Phase
from routing.response.phrases import phrases

ADDRESS = "https://tocsin.example/callbacks/twilio/gather/INC-1-d1"
ENGLISH = phrases("en")
SPEECH = "Tocsin. Severity 1. Site is down."


def heard(digits: str = "", **changes: Any) -> Heard:
    given: dict[str, Any] = {
        "query": {"round": "1"},
        "delivery": kept.delivery(contact="ana", message=Message(title="t", body="b", speech=SPEECH)),
        "incident": kept.incident(),
    }
    return Heard(digits=digits, callback=ADDRESS, **{**given, **changes})


def spoken(found: Heard) -> tuple[str, str]:
    """All that is said, and where the next key goes; "" when the call ends."""
    document = ET.fromstring(twilio_call.reply(found))  # noqa: S314  # made by us
    gather = document.find("Gather")
    assert (gather is None) == (document.find("Hangup") is not None)
    return " ".join(each.text or "" for each in document.iter("Say")), "" if gather is None else gather.get(
        "action", ""
    )


@pytest.mark.parametrize(
    ("digits", "before"), [("", ""), ("9", f"{ENGLISH.unknown} "), ("7", f"{ENGLISH.unknown} ")]
)
def test_no_key_and_an_unknown_one_bring_the_message_again_and_a_next_turn(digits: str, before: str) -> None:
    text, action = spoken(heard(digits))
    assert text == f"{before}{SPEECH} {ENGLISH.keys}"
    assert action == f"{ADDRESS}?round=2"


def test_it_ends_after_a_few_turns() -> None:
    query, turns = {"round": "1"}, 0
    while True:
        text, action = spoken(heard(query=query))
        if not action:
            break
        turns += 1
        query = {name: values[0] for name, values in parse_qs(urlsplit(action).query).items()}
    assert (turns, text) == (ROUNDS - 1, ENGLISH.silent)


@pytest.mark.parametrize("turn", ["", "-1", "1e9", "999999999", "x"])
def test_a_turn_nobody_counted_is_the_last(turn: str) -> None:
    assert spoken(heard(query={"round": turn})) == (ENGLISH.silent, "")


@pytest.mark.parametrize(("digits", "verb"), [("4", Verb.ACK), ("6", Verb.RESOLVE), ("5", Verb.ESCALATE)])
def test_a_key_is_answered_and_ends_the_call(digits: str, verb: Verb) -> None:
    assert spoken(heard(digits)) == (ENGLISH.done[verb], "")


def test_one_and_two_answer_where_a_run_was_asked_about_and_mean_nothing_elsewhere() -> None:
    asks = kept.delivery(contact="ana", run="INC-1-r1")
    assert spoken(heard("1", delivery=asks)) == (ENGLISH.done[Verb.APPROVE], "")
    assert spoken(heard("2", delivery=asks)) == (ENGLISH.done[Verb.DENY], "")
    assert spoken(heard("9", delivery=asks))[0].endswith(f"{ENGLISH.decide} {ENGLISH.keys}")
    for digits in ("1", "2"):
        assert spoken(heard(digits))[0].startswith(ENGLISH.unknown)


@pytest.mark.parametrize("digits", ["", "4", "9"])
def test_who_answers_a_call_that_somebody_else_took_up_hears_who(digits: str) -> None:
    taken = kept.incident(phase=Phase.ACKNOWLEDGED, acknowledged_by="bob")
    text, action = spoken(heard(digits, incident=taken))
    assert (text.removeprefix(f"{ENGLISH.unknown} "), action) == ("bob has it already.", "")


def test_who_took_it_up_is_thanked_again() -> None:
    mine = kept.incident(phase=Phase.ACKNOWLEDGED, acknowledged_by="bob, ana")
    assert spoken(heard("4", incident=mine)) == (ENGLISH.done[Verb.ACK], "")


def test_what_somebody_has_can_still_be_resolved_and_passed_on() -> None:
    taken = kept.incident(phase=Phase.ACKNOWLEDGED, acknowledged_by="bob")
    assert spoken(heard("6", incident=taken))[0] == ENGLISH.done[Verb.RESOLVE]
    assert spoken(heard("5", incident=taken))[0] == ENGLISH.done[Verb.ESCALATE]


@pytest.mark.parametrize("digits", ["", "4", "5", "6"])
def test_what_is_over_is_over(digits: str) -> None:
    assert spoken(heard(digits, incident=kept.incident(phase=Phase.RESOLVED))) == (ENGLISH.over, "")


def test_a_machine_is_not_talked_to_for_long() -> None:
    assert spoken(heard(delivery=kept.delivery(progress=Progress.FAILED))) == ("", "")


def test_a_key_counts_though_nothing_is_known_of_the_call() -> None:
    assert spoken(heard("4", delivery=None, incident=None)) == (ENGLISH.done[Verb.ACK], "")
    assert spoken(heard("", delivery=None, incident=None)) == (ENGLISH.keys, f"{ADDRESS}?round=2")


@pytest.mark.parametrize(
    ("query", "own", "ours"),
    [
        ({"language": "pl-PL", "voice": "Polly.Ewa"}, ("pl-PL", "Polly.Ewa"), ("pl-PL", "Polly.Ewa")),
        ({"language": "fr-FR", "voice": "Polly.Lea"}, ("fr-FR", "Polly.Lea"), ("en-US", None)),
        ({}, (None, None), (None, None)),
    ],
)
def test_the_call_goes_on_in_its_language(query: dict[str, str], own: Any, ours: Any) -> None:
    document = ET.fromstring(twilio_call.reply(heard(query={**query, "round": "1"})))  # noqa: S314  # made by us
    found = [(each.get("language"), each.get("voice")) for each in document.iter("Say")]
    assert found == [own, ours]
    assert [each.text for each in document.iter("Say")][1] == phrases(query.get("language", "")).keys
    gather = document.find("Gather")
    assert gather is not None
    assert {
        name: values[0] for name, values in parse_qs(urlsplit(gather.get("action", "")).query).items()
    } == {
        **query,
        "round": "2",
    }


def test_what_a_payload_wrote_can_only_be_spoken() -> None:
    hostile = kept.delivery(message=Message(title="t", body="b", speech=HOSTILE))
    document = ET.fromstring(twilio_call.reply(heard(delivery=hostile)))  # noqa: S314  # made by us
    assert {each.tag for each in document.iter()} == {"Response", "Gather", "Say"}
    assert "ünï 日本" in " ".join(document.itertext())


def put(reception: Reception, **changes: Any) -> None:
    records = (
        Put(Table.INCIDENT, "INC-1", kept.incident(**changes)),
        Put(
            Table.DELIVERY,
            "INC-1-d1",
            kept.delivery(message=Message(title="t", body="b", speech=SPEECH)),
            "INC-1",
        ),
    )
    kept.commit(reception.redis, reception.keys, Decision(records, (), None))


def test_the_message_comes_from_our_own_record_and_no_key_is_no_entry(reception: Reception) -> None:
    put(reception)
    answer = call(reception, "/callbacks/twilio/gather/INC-1-d1?round=1", {"CallSid": "CA1"})
    assert SPEECH in answer.text
    assert f'action="{ADDRESS}?round=2"' in answer.text
    assert reception.entries() == []


def test_an_unknown_key_is_noted_and_the_turn_that_follows_is_signed_too(reception: Reception) -> None:
    put(reception)
    answer = call(reception, "/callbacks/twilio/gather/INC-1-d1?round=1", {"CallSid": "CA1", "Digits": "9"})
    assert answer.text.count("<Gather") == 1
    [entry] = reception.entries(Lane.CONTROL)
    assert isinstance(entry, Answer)
    assert entry.text == "9"
    forged = reception.post(
        "/callbacks/twilio/gather/INC-1-d1?round=2", b"Digits=4", {"x-twilio-signature": "A"}
    )
    assert forged.status_code == 401
    assert len(reception.entries()) == 1


@pytest.mark.parametrize(
    ("answered_by", "status"),
    [
        ("human", "answered"),
        ("machine_start", "machine"),
        ("machine_end_beep", "machine"),
        ("fax", "machine"),
    ],
)
def test_what_took_the_call_becomes_a_receipt(reception: Reception, answered_by: str, status: str) -> None:
    form = {"CallSid": "CA1", "AnsweredBy": answered_by}
    for _ in range(2):
        assert call(reception, "/callbacks/twilio/machine/INC-1-d1", form).status_code == 200
    [entry] = reception.entries(Lane.CONTROL)
    assert isinstance(entry, Receipt)
    assert (entry.status, entry.provider_id, entry.delivery) == (status, "CA1", "INC-1-d1")


def test_twilio_that_cannot_tell_says_nothing(reception: Reception) -> None:
    for form in ({"CallSid": "CA1", "AnsweredBy": "unknown"}, {"CallSid": "CA1"}):
        assert call(reception, "/callbacks/twilio/machine/INC-1-d1", form).status_code == 200
    assert reception.entries() == []


@pytest.mark.parametrize(
    ("code", "status", "advice"),
    [
        ("30003", "undelivered", "off or out of reach"),
        ("30006", "undelivered", "landline"),
        ("21610", "opted-out", "START"),
    ],
)
def test_an_error_code_comes_with_what_to_do(
    reception: Reception, code: str, status: str, advice: str
) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": code}
    call(reception, "/callbacks/twilio/status/INC-1-d1", form)
    [entry] = reception.entries(Lane.CONTROL)
    assert isinstance(entry, Receipt)
    assert entry.status == status
    assert entry.detail.startswith(f"{code}: ")
    assert advice in entry.detail
