"""Telegram: what a chat shows, how it follows its incident, and what each refusal means."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notices import HOSTILE, notice
from pydantic import ValidationError
from refusing import every_refusal
from telegram_standin import BLOCKED, CHAT, GROUP, NOWHERE, TOKEN, TelegramStandin
from vendor_server import Misbehaviour

from routing.delivery import Message, Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.incident import Incident, Phase
from routing.instant import parse_iso
from routing.ports import Sent
from routing.severity import Severity
from workers import redaction
from workers.channels import telegram

AT = parse_iso("2026-11-28T01:30:00Z")
OPEN = Incident(
    id="INC-1", number=1, title="Site is down", severity=Severity.SEV0, phase=Phase.TRIGGERED, group="site",
    opened_at=AT, changed_at=AT, alerts=1, events=1, firing=1,
)  # fmt: skip
TAKEN = msgspec.structs.replace(
    OPEN, phase=Phase.ACKNOWLEDGED, acknowledged_at=AT + 60_000, acknowledged_by="anna"
)
OVER = msgspec.structs.replace(TAKEN, phase=Phase.RESOLVED, resolved_at=AT + 600_000, resolved_by="source")


@pytest.fixture
def bot() -> Iterator[TelegramStandin]:
    with TelegramStandin() as server:
        yield server


def send(
    bot: TelegramStandin, timeout_s: float = 2.0, settings: dict[str, Any] | None = None, **changes: Any
) -> Sent:
    made = telegram.Settings(**bot.channel(**settings or {}))
    return telegram.send(notice(**{"to": str(CHAT), "standing": OPEN, **changes}), made, timeout_s)


def failure(bot: TelegramStandin, timeout_s: float = 2.0, **more: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        send(bot, timeout_s, **more)
    assert TOKEN not in str(failed.value)
    assert "standin_telegram_token" not in str(failed.value)
    return failed.value


def test_a_page_says_what_broke_and_has_buttons(bot: TelegramStandin) -> None:
    sent = send(bot)
    (message,) = bot.messages
    assert sent.provider_id == f"{CHAT}:1"
    assert message.text.startswith("[INC-1] SEV-0 Site is down\nNobody has it.")
    assert "Tried: rollback, site still down." in message.text
    assert message.buttons == ["Acknowledge", "Resolve", "Escalate"]
    assert message.rows[0][0]["callback_data"] == "ack:INC-1-d1"


def test_an_approval_can_be_given_there(bot: TelegramStandin) -> None:
    send(bot, purpose=Purpose.APPROVAL, run="INC-1-r1")
    assert bot.messages[0].buttons == ["Approve", "Deny"]


def test_what_comes_later_answers_the_first_message_which_shows_how_it_is_now(bot: TelegramStandin) -> None:
    thread = send(bot).provider_id
    news = Message(title="[INC-1] anna has it", body="anna has it")
    send(
        bot,
        delivery="INC-1-d2",
        purpose=Purpose.UPDATE,
        message=news,
        standing=TAKEN,
        thread=thread,
        ack_url="",
    )
    first, second = bot.messages
    assert (second.answers, second.buttons) == (1, [])
    assert "anna has it since" in first.text
    assert first.buttons == ["Resolve", "Escalate"]


def test_when_it_is_over_nothing_can_be_pressed_any_more(bot: TelegramStandin) -> None:
    thread = send(bot).provider_id
    send(bot, delivery="INC-1-d2", purpose=Purpose.UPDATE, standing=OVER, thread=thread, ack_url="")
    assert "Resolved" in bot.messages[0].text
    assert bot.messages[0].buttons == []


def test_another_page_there_has_buttons_of_its_own(bot: TelegramStandin) -> None:
    thread = send(bot).provider_id
    send(bot, delivery="INC-1-d5", thread=thread)
    assert bot.messages[1].rows[0][0]["callback_data"] == "ack:INC-1-d5"


def test_a_first_message_that_was_deleted_costs_nothing(bot: TelegramStandin) -> None:
    send(bot, delivery="INC-1-d2", purpose=Purpose.UPDATE, thread=f"{CHAT}:77")
    assert [message.answers for message in bot.messages] == [0]


@pytest.mark.parametrize(
    "how", [Misbehaviour(status=500), Misbehaviour(status=429), Misbehaviour(hang_up=True)]
)
def test_a_first_message_that_cannot_be_changed_is_no_reason_to_say_the_news_twice(
    bot: TelegramStandin, how: Misbehaviour
) -> None:
    thread = send(bot).provider_id
    bot.misbehave(replace(how, path="editMessageText"))
    send(bot, delivery="INC-1-d2", purpose=Purpose.UPDATE, standing=TAKEN, thread=thread)
    assert len(bot.messages) == 2


def test_without_a_webhook_of_the_bot_there_is_a_link(bot: TelegramStandin) -> None:
    send(bot, settings={"buttons": False})
    send(bot, delivery="INC-1-d2", callback_url="", ack_url="")
    assert bot.messages[0].rows == [[{"text": "Acknowledge", "url": "https://tocsin.example/a/token"}]]
    assert bot.messages[1].rows == []


def test_a_test_is_confirmed_by_a_link(bot: TelegramStandin) -> None:
    send(bot, incident="", standing=None, delivery="test-1", purpose=Purpose.TEST)
    assert bot.messages[0].rows == [[{"text": "Confirm", "url": "https://tocsin.example/a/token"}]]


@every_refusal()
def test_every_refusal_has_its_class(bot: TelegramStandin, how: Misbehaviour, outcome: Outcome) -> None:
    bot.misbehave(how)
    assert failure(bot, 0.3).outcome is outcome


def test_too_many_messages_says_how_long_to_wait_in_its_own_way(bot: TelegramStandin) -> None:
    bot.misbehave(Misbehaviour(status=429))
    assert failure(bot).retry_after_ms == 7_000


@pytest.mark.parametrize(
    ("to", "says"),
    [
        (str(BLOCKED), "they must send it /start"), (str(NOWHERE), "write /id to the bot"), ("anna", "not an address"),
        ("+48500000001", "not an address"), ("", "not an address"), ("1001\n", "not an address"),
    ],
)  # fmt: skip
def test_who_cannot_be_reached_is_permanent_and_says_what_to_do(
    bot: TelegramStandin, to: str, says: str
) -> None:
    failed = failure(bot, to=to)
    assert failed.outcome is Outcome.PERMANENT
    assert says in str(failed)


def test_a_group_that_became_a_supergroup_says_its_new_id(bot: TelegramStandin) -> None:
    bot.moved[GROUP] = -1001234567890
    failed = failure(bot, to=str(GROUP))
    assert failed.outcome is Outcome.PERMANENT
    assert "its new id is -1001234567890" in str(failed)


def test_a_wrong_token_is_permanent_and_not_shown(bot: TelegramStandin) -> None:
    failed = failure(bot, settings={"token": "123456789:another_token_that_is_wrong_0123456"})
    assert failed.outcome is Outcome.PERMANENT
    assert "@BotFather" in str(failed)
    assert "another_token" not in str(failed)


def test_a_token_is_taken_out_of_whatever_is_kept() -> None:
    assert "standin" not in redaction.text(f"https://api.telegram.org/bot{TOKEN}/sendMessage")


def test_nobody_listening_is_temporary() -> None:
    with TelegramStandin() as gone:
        pass
    assert failure(gone).outcome is Outcome.TEMPORARY


def test_an_answer_that_comes_twice_is_one_message_and_the_next_one_is_unharmed(bot: TelegramStandin) -> None:
    bot.misbehave(Misbehaviour(twice=True))
    assert [send(bot).provider_id, send(bot, delivery="INC-1-d2").provider_id] == [f"{CHAT}:1", f"{CHAT}:2"]


@given(title=st.text(max_size=600), body=st.text(max_size=6000))
@settings(max_examples=30)
def test_any_text_is_a_message_telegram_takes(title: str, body: str) -> None:
    with TelegramStandin() as bot:
        send(bot, message=Message(title=f"T{title}", body=body), repeat=True)
        assert "may be a repeat" in bot.messages[0].text


def test_a_long_text_gives_way_in_the_middle(bot: TelegramStandin) -> None:
    send(bot, message=Message(title="[INC-1] SEV-0 Down", body="🔥 word " * 2000), repeat=True)
    text = bot.messages[0].text
    assert text.startswith("[INC-1] SEV-0 Down\nNobody has it.")
    assert text.endswith("…\n\nThis may be a repeat of an earlier message.")


def test_what_a_payload_wrote_stays_text(bot: TelegramStandin) -> None:
    send(bot, message=Message(title=HOSTILE + "\n*bold* <b>x</b> [a](http://evil.example)", body=HOSTILE))
    (message,) = bot.messages
    assert "<b>x</b>" in message.text, "no markup language: it is shown as it was written"
    assert not {"\x00", "\x1b", "\u202e"} & set(message.text)


@pytest.mark.parametrize("changes", [{"token": None}, {"base_url": "api.telegram.org"}, {"typo": "x"}])
def test_settings_that_cannot_work_are_refused(bot: TelegramStandin, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        telegram.Settings(**bot.channel(**changes))


def test_the_preview_is_what_would_be_sent_without_the_token(bot: TelegramStandin) -> None:
    made = telegram.Settings(**bot.channel())
    shown = telegram.preview(notice(to=str(CHAT), standing=OPEN), made)
    send(bot)
    assert shown["text"] == bot.messages[0].text
    assert TOKEN not in str(shown) + repr(made)
