"""Connections to a mail server that are used again: what they spare, and when they must not be trusted."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from reception import until
from smtp_standin import SmtpStandin

from routing.entry import Outcome
from routing.errors import DeliveryError
from workers import smtp
from workers.smtp_kept import Kept


@pytest.fixture
def kept() -> Iterator[Kept]:
    made = Kept()
    yield made
    made.close()


def hand_over(server: SmtpStandin, kept: Kept, to: str = "anna@example.com", **changes: Any) -> str:
    message = EmailMessage()
    message["Subject"] = f"mail {len(server.mails) + 1}"
    message.set_content("text")
    return smtp.hand_over(smtp.Server(**server.settings(**changes)), message, to, 5.0, kept=kept)


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_several_mails_go_over_one_connection(tmp_path: Path, kept: Kept, security: str) -> None:
    with SmtpStandin(security=security, auth=True, room=tmp_path) as server:
        for _ in range(5):
            hand_over(server, kept)
        assert [str(each.message["Subject"])[-1] for each in server.mails] == ["1", "2", "3", "4", "5"]
        assert len(server.connections) == 1


def test_without_a_place_to_keep_it_each_mail_has_its_own() -> None:
    with SmtpStandin() as server:
        for _ in range(2):
            smtp.hand_over(smtp.Server(**server.settings()), EmailMessage(), "anna@example.com", 5.0)
        assert len(server.connections) == 2


def test_other_settings_are_another_connection(kept: Kept) -> None:
    with SmtpStandin() as server:
        hand_over(server, kept)
        hand_over(server, kept, from_address="other@example.com")
        assert len(server.connections) == 2


def test_a_connection_the_server_closed_meanwhile_is_not_used(kept: Kept) -> None:
    with SmtpStandin() as server:
        hand_over(server, kept)
        server.hang_up()
        until(lambda: not server.lines)
        hand_over(server, kept)
        assert (len(server.mails), len(server.connections)) == (2, 2)


def test_a_server_that_takes_so_many_mails_a_connection_gets_the_next_over_a_new_one(kept: Kept) -> None:
    with SmtpStandin() as server:
        server.most_mails = 2
        for _ in range(5):
            hand_over(server, kept)
        assert len(server.mails) == 5


def test_a_server_that_says_421_to_a_new_connection_is_asked_no_third_time(kept: Kept) -> None:
    with SmtpStandin() as server:
        hand_over(server, kept)
        server.refuse["MAIL"] = "421 going away"
        with pytest.raises(DeliveryError) as failed:
            hand_over(server, kept)
        assert failed.value.outcome is Outcome.TEMPORARY
        assert len(server.connections) == 2


def test_a_connection_that_breaks_after_the_mail_was_handed_over_is_not_tried_anew(kept: Kept) -> None:
    with SmtpStandin() as server:
        hand_over(server, kept)
        server.drop_at = "DATA"
        with pytest.raises(DeliveryError) as failed:
            hand_over(server, kept)
        assert failed.value.outcome is Outcome.UNKNOWN
        assert len(server.mails) == 2


def test_a_refused_mail_costs_the_connection_and_not_the_next_mail(kept: Kept) -> None:
    with SmtpStandin() as server:
        hand_over(server, kept)
        server.refuse["RCPT"] = "550 no such user"
        with pytest.raises(DeliveryError):
            hand_over(server, kept, to="bob@example.com")
        server.refuse.clear()
        hand_over(server, kept)
        assert [each.recipients for each in server.mails] == [["anna@example.com"]] * 2


def test_a_connection_is_left_with_a_goodbye_when_it_carried_enough_or_stays_unused() -> None:
    with SmtpStandin() as server:
        few = Kept(most_mails=2)
        for _ in range(2):
            hand_over(server, few)
        until(lambda: not server.lines)
        short = Kept(idle_s=0.05)
        hand_over(server, short)
        until(lambda: not server.lines)
        assert short.take(smtp.Server(**server.settings())) is None


def test_an_answer_too_many_is_not_taken_for_the_next_mails(kept: Kept) -> None:
    """Whatever the server says between two mails, the connection is not to be trusted."""
    with SmtpStandin() as server:
        hand_over(server, kept)
        server.say_to_all("250 and another one")
        key = smtp.Server(**server.settings())
        found = kept._kept[0][1].smtp
        until(lambda: _heard(found))
        assert kept.take(key) is None
        assert hand_over(server, kept) == "250 OK queued as 2"


def _heard(found: smtplib.SMTP) -> bool:
    assert found.file is not None
    assert found.sock is not None
    found.sock.settimeout(0)
    return bool(found.file.peek(1))
