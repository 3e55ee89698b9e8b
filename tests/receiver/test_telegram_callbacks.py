"""What Telegram tells of buttons and of what is written to the bot."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from reception import Reception
from telegram_standin import CHAT, GROUP, TelegramStandin, pressed

from routing.decision import Table
from routing.delivery import Delivery, Message, Progress, Purpose
from routing.entry import Answer, Lane
from routing.record import encode
from routing.severity import Severity

DELIVERY = Delivery(
    id="INC-12-d3", incident="INC-12", contact="anna", channel="telegram", address=str(CHAT), purpose=Purpose.PAGE,
    severity=Severity.SEV0, message=Message(title="t", body="b"), progress=Progress.SENT, created_at=1, changed_at=1,
)  # fmt: skip


@pytest.fixture
def bot(reception: Reception) -> Iterator[TelegramStandin]:
    keep(reception, DELIVERY)
    with TelegramStandin(receiver=reception.url) as server:
        yield server


def keep(reception: Reception, delivery: Delivery) -> None:
    reception.redis.hset(
        reception.keys.owned(delivery.incident, Table.DELIVERY), delivery.id, encode(delivery)
    )


def answers(reception: Reception) -> list[Answer]:
    return [entry for entry in reception.entries(Lane.CONTROL) if isinstance(entry, Answer)]


@pytest.mark.parametrize(
    ("verb", "says"),
    [
        ("ack", "yours now"),
        ("resolve", "resolved"),
        ("escalate", "next person"),
        ("approve", "Approved"),
        ("deny", "Denied"),
    ],
)
def test_a_button_is_an_answer_and_who_pressed_it_is_told(
    bot: TelegramStandin, reception: Reception, verb: str, says: str
) -> None:
    status, reply = bot.update(pressed(CHAT, f"{verb}:INC-12-d3"))
    assert (status, reply["method"], reply["callback_query_id"]) == (
        200,
        "answerCallbackQuery",
        "4382bfdwdsb323b2d9",
    )
    assert says in reply["text"]
    (entry,) = answers(reception)
    assert (entry.text, entry.delivery, entry.channel) == (verb, "INC-12-d3", "Telegram")


@pytest.mark.parametrize(
    ("chat", "data"),
    [
        (GROUP, "ack:INC-12-d3"), (CHAT, "ack:INC-12-d4"), (CHAT, "ack:"), (CHAT, ""), (CHAT, "ack:../x"),
        (CHAT, "drop:INC-12-d3"), (CHAT, "note:INC-12-d3"),
    ],
)  # fmt: skip
def test_what_was_not_offered_in_this_chat_changes_nothing(
    bot: TelegramStandin, reception: Reception, chat: int, data: str
) -> None:
    status, reply = bot.update(pressed(chat, data))
    assert (status, reply["method"]) == (200, "answerCallbackQuery")
    assert "over" in reply["text"]
    assert reception.entries() == []


def test_a_channel_may_be_known_by_its_name(bot: TelegramStandin, reception: Reception) -> None:
    keep(reception, msgspec.structs.replace(DELIVERY, id="INC-12-d4", address="@ops_channel"))
    update = pressed(-100200, "ack:INC-12-d4")
    update["callback_query"]["message"]["chat"]["username"] = "ops_channel"
    bot.update(update)
    assert [entry.delivery for entry in answers(reception)] == ["INC-12-d4"]


def test_the_same_update_sent_again_is_one_answer(bot: TelegramStandin, reception: Reception) -> None:
    for _ in range(3):
        bot.update({"update_id": 7, **pressed(CHAT, "ack:INC-12-d3")})
    assert len(answers(reception)) == 1


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("ack", "ack"),
        ("/ack", "ack"),
        ("/ack@tocsin_bot 12", "ack 12"),
        ("resolve INC-12", "resolve INC-12"),
        ("hello", "hello"),
    ],
)
def test_what_is_written_is_an_answer_of_that_chat(
    bot: TelegramStandin, reception: Reception, text: str, means: str
) -> None:
    assert bot.write(text) == (200, {})
    (entry,) = answers(reception)
    assert (entry.text, entry.address, entry.delivery) == (means, str(CHAT), "")


@pytest.mark.parametrize("text", ["/start", "/id", "/id@tocsin_bot"])
def test_the_bot_says_the_id_of_a_chat_to_whoever_asks_there(
    bot: TelegramStandin, reception: Reception, text: str
) -> None:
    status, reply = bot.write(text, chat=GROUP)
    assert (status, reply["method"], reply["chat_id"]) == (200, "sendMessage", GROUP)
    assert str(GROUP) in reply["text"]
    assert reception.entries() == []


def test_a_forgery_changes_nothing(bot: TelegramStandin, reception: Reception) -> None:
    for secret in ("", "guess", "é"):
        status, reply = bot.update(pressed(CHAT, "ack:INC-12-d3"), secret=secret)
        assert (status, set(reply)) == (401, {"error", "hint"})
    assert reception.entries() == []


@pytest.mark.parametrize(
    "update",
    [{}, {"edited_message": {}}, {"message": {}}, {"message": {"chat": {"id": "x"}, "text": "ack"}},
     {"message": {"chat": {"id": CHAT}, "photo": []}}, {"callback_query": 7}, {"message": None}],
)  # fmt: skip
def test_whatever_else_happens_in_a_chat_is_nothing(
    bot: TelegramStandin, reception: Reception, update: dict[str, Any]
) -> None:
    assert bot.update(update) == (200, {})
    assert reception.entries() == []
