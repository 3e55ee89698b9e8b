"""Text messages cut as carriers take them: what each costs, where they part, and what a lost part means."""

from collections.abc import Iterator

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from notices import HOSTILE, notice
from twilio_standin import TwilioStandin
from vendor_server import Misbehaviour

from routing.delivery import Message, Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Sent
from workers import sms
from workers.channels import twilio_sms

TAIL = "\nReply ack, resolve or escalate.\nhttps://tocsin.example/a/token"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1), ("x" * 160, 1), ("x" * 161, 2), ("x" * 306, 2), ("x" * 307, 3),
        ("ż" * 70, 1), ("ż" * 71, 2), ("ż" * 134, 2), ("ż" * 135, 3), ("x" * 70 + "ż", 2),
        ("[" * 80, 1), ("[" * 81, 2), ("x" * 152 + "[" * 5, 2), ("x" * 152 + "[" + "x" * 152, 3),
        ("🔥" * 35, 1), ("🔥" * 36, 2), ("x" * 66 + "🔥" + "x" * 66, 3), ("éà€", 1),
    ],
)  # fmt: skip
def test_segments_are_counted_as_carriers_count(text: str, count: int) -> None:
    assert sms.segments(text) == count


def test_what_typesetters_use_does_not_double_the_price() -> None:
    fancy = Message(
        title="[INC-1] Site \u2014 \u201cdown\u201d", body="it\u2019s 5 % slower\u2026 " + "x" * 80
    )
    (text,) = sms.parts(notice(message=fancy, purpose=Purpose.UPDATE), 640)
    assert text.startswith('[INC-1] Site - "down"\nit\'s 5 % slower... x')
    assert sms.segments(text) == 1


def test_a_short_message_is_one_without_a_number() -> None:
    (text,) = sms.parts(notice(), 640)
    assert text.startswith("[INC-1] SEV-0 Site is down")


def long(words: int, word: str = "przełączenie", **changes: object) -> Notification:
    return notice(message=Message(title="[INC-1] Awaria", body=" ".join([word] * words)), **changes)


def test_a_long_one_parts_between_words_and_the_way_to_answer_is_in_the_last() -> None:
    found = sms.parts(long(45), 1600)
    assert len(found) == 3
    for number, part in enumerate(found, 1):
        assert part.startswith(f"{number}/3 ")
        assert sms.segments(part) <= sms.PART_SEGMENTS
        assert set(part.partition(" ")[2].removesuffix(TAIL.strip()).split()) <= {
            "[INC-1]",
            "Awaria",
            "przełączenie",
        }
    assert found[-1].endswith(TAIL.strip())
    assert " ".join(found).count("przełączenie") == 45


def test_what_costs_more_than_the_cap_gives_way_in_the_middle() -> None:
    found = sms.parts(long(200), 320)
    assert sum(sms.segments(part) for part in found) <= sms.segments("x" * 320)
    assert found[0].startswith("[INC-1] Awaria\nprzełączenie")
    assert found[-1].endswith(f"...{TAIL}")


@given(
    title=st.text(max_size=200),
    body=st.one_of(st.text(max_size=3000), st.text("ab ż\n[🔥", max_size=3000), st.just(HOSTILE * 20)),
    cap=st.sampled_from([160, 320, 640, 1600]),
    purpose=st.sampled_from(list(Purpose)),
    repeat=st.booleans(),
)
@examples(60)
def test_any_text_fits_and_keeps_the_way_to_answer(
    title: str, body: str, cap: int, purpose: Purpose, *, repeat: bool
) -> None:
    found = sms.parts(notice(message=Message(title=title, body=body), purpose=purpose, repeat=repeat), cap)
    assert sum(sms.segments(part) for part in found) <= sms.segments("x" * cap)
    assert all(len(part) <= 1600 for part in found)
    assert all(sms.segments(part) <= sms.PART_SEGMENTS for part in found)
    if purpose is Purpose.PAGE:
        assert found[-1].endswith(TAIL.lstrip())
    assert [part.partition(" ")[0] for part in found] == [
        f"{number}/{len(found)}" for number in range(1, len(found) + 1)
    ] or len(found) == 1


def test_a_page_that_asks_about_a_run_says_what_more_can_be_written() -> None:
    assert "Reply ack, resolve or escalate. Or approve, deny.\n" in sms.parts(notice(run="INC-1-r1"), 640)[0]


@pytest.fixture
def twilio() -> Iterator[TwilioStandin]:
    with TwilioStandin() as server:
        yield server


def text(twilio: TwilioStandin, notification: Notification, timeout_s: float = 2.0) -> Sent:
    return twilio_sms.send(notification, twilio_sms.Settings(**twilio.settings(max_chars=1600)), timeout_s)


def test_every_part_is_sent_in_order_and_all_their_ids_are_kept(twilio: TwilioStandin) -> None:
    sent = text(twilio, long(60))
    assert [made.text[:3] for made in twilio.made] == ["1/3", "2/3", "3/3"]
    assert sent.provider_id.split() == [made.sid for made in twilio.made]


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (Misbehaviour(status=503), Outcome.UNKNOWN),
        (Misbehaviour(status=429, retry_after="7"), Outcome.UNKNOWN),
        (Misbehaviour(status=400), Outcome.PERMANENT),
    ],
)
def test_when_only_some_parts_are_taken_the_next_attempt_is_a_repeat(
    twilio: TwilioStandin, how: Misbehaviour, outcome: Outcome
) -> None:
    twilio.misbehave(Misbehaviour(), how)
    with pytest.raises(DeliveryError, match="1 of 3 parts were taken") as failed:
        text(twilio, long(60))
    assert failed.value.outcome is outcome


def test_a_failure_of_the_first_part_is_what_it_is(twilio: TwilioStandin) -> None:
    twilio.misbehave(Misbehaviour(status=503))
    with pytest.raises(DeliveryError) as failed:
        text(twilio, long(60))
    assert failed.value.outcome is Outcome.TEMPORARY
    assert twilio.made == []


def test_all_parts_share_the_channels_time(twilio: TwilioStandin) -> None:
    twilio.misbehave(Misbehaviour(delay_s=30))
    with pytest.raises(DeliveryError) as failed:
        text(twilio, long(60), 0.4)
    assert failed.value.outcome is Outcome.UNKNOWN


def test_whoever_has_opted_out_is_known_by_the_code(twilio: TwilioStandin) -> None:
    with pytest.raises(DeliveryError, match="opted out") as failed:
        text(twilio, notice(to="+15005550004"))
    assert failed.value.opted_out
    with pytest.raises(DeliveryError) as other:
        text(twilio, notice(to="+15005550009"))
    assert not other.value.opted_out
