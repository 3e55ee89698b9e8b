"""Mail over real SMTP: what is said, how it is protected, and what each refusal means."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notices import HOSTILE, notice
from pydantic import ValidationError
from smtp_standin import Mail, SmtpStandin

from routing.delivery import Message, Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Sent
from workers.channels import email


def send(server: SmtpStandin, timeout_s: float = 5.0, **changes: Any) -> Sent:
    return email.send(mail(**changes), email.Settings(**server.settings()), timeout_s)


def mail(**changes: Any) -> Notification:
    return notice(**{"to": "anna@example.com", **changes})


def sent(**changes: Any) -> Mail:
    with SmtpStandin() as server:
        send(server, **changes)
        return server.mails[0]


def failure(server: SmtpStandin, timeout_s: float = 5.0, **changes: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        send(server, timeout_s, **changes)
    return failed.value


def test_a_mail_says_what_broke_as_text_and_html_with_a_link_to_acknowledge() -> None:
    got = sent()
    assert got.recipients == ["anna@example.com"]
    assert got.message["Subject"] == "[INC-1] SEV-0 Site is down"
    for kind in ("plain", "html"):
        assert "Tried: rollback, site still down." in got.part(kind)
        assert "https://tocsin.example/a/token" in got.part(kind)


def test_what_the_server_said_and_our_message_id_are_kept() -> None:
    with SmtpStandin() as server:
        found = send(server, attempt=2)
        (kept,) = server.mails
    assert re.fullmatch(r"INC-1-d1\.a2\.[0-9a-f]{16}", found.provider_id)
    assert kept.message["Message-ID"] == f"<{found.provider_id}@example.com>"
    assert found.answer == "250 OK queued as 1"


def test_all_mails_of_an_incident_are_one_thread_and_start_no_war_of_machines() -> None:
    first, second = sent().message, sent(delivery="INC-1-d2", purpose=Purpose.UPDATE).message
    assert first["References"] == second["References"] == "<INC-1@example.com>"
    assert first["Message-ID"] != second["Message-ID"]
    assert first["Auto-Submitted"] == "auto-generated"
    assert (first["Importance"], second["Importance"]) == ("high", None)


def test_an_update_asks_for_no_answer_and_a_repeat_says_so() -> None:
    assert "Acknowledge" not in sent(purpose=Purpose.UPDATE, ack_url="").part("html")
    again = sent(repeat=True)
    assert str(again.message["Subject"]).startswith("(repeat?)")
    assert "may be a repeat" in again.part("plain")


def test_what_a_payload_wrote_stays_text() -> None:
    got = sent(message=Message(title=HOSTILE + "\r\nBcc: everybody@example.com", body=HOSTILE))
    assert got.recipients == ["anna@example.com"]
    assert got.message["Bcc"] is None
    assert "Bcc: everybody@example.com" in str(got.message["Subject"])
    assert "<script>" not in got.part("html")
    assert "&lt;script&gt;" in got.part("html")
    assert "ünï 日本 🔥" in got.part("plain")
    assert "\u202e" not in got.part("plain")


@given(title=st.text(max_size=400), body=st.text(max_size=2000))
def test_any_text_makes_a_mail(title: str, body: str) -> None:
    settings = email.Settings(host="localhost", from_address="tocsin@example.com")
    shown = email.preview(mail(message=Message(title=title, body=body)), settings)
    assert not set("\r\n") & set("".join(value for name, value in shown.items() if name != "Text"))


@pytest.mark.parametrize("to", ["a@b\r\nBcc: c@d", "a@b, c@d", "anna", "", "a@b>", "<a@b>", "a b@c"])
def test_an_address_that_is_none_is_permanent_and_reaches_no_server(to: str) -> None:
    with SmtpStandin() as server:
        assert failure(server, to=to).outcome is Outcome.PERMANENT
        assert server.mails == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_is_encrypted_and_logged_in(tmp_path: Path, security: str) -> None:
    with SmtpStandin(security=security, auth=True, room=tmp_path) as server:
        send(server)
        assert len(server.mails) == 1


def test_a_certificate_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    with SmtpStandin(security="tls", room=tmp_path) as server:
        server.ca_file = ""
        failed = failure(server)
        assert "not trusted" in str(failed)
        assert failed.outcome is Outcome.TEMPORARY
        assert server.mails == []


def test_a_server_without_starttls_gets_neither_password_nor_mail() -> None:
    with SmtpStandin(auth=True) as server:
        settings = email.Settings(**server.settings(security="starttls", ca_file=""))
        with pytest.raises(DeliveryError, match="STARTTLS") as failed:
            email.send(mail(), settings, 5.0)
        assert failed.value.outcome is Outcome.PERMANENT
        assert server.mails == []


def test_a_wrong_password_is_permanent_and_not_shown(tmp_path: Path) -> None:
    with SmtpStandin(security="starttls", auth=True, room=tmp_path) as server:
        settings = email.Settings(**server.settings(password="not-the-password"))
        with pytest.raises(DeliveryError, match="AUTH with 535") as failed:
            email.send(mail(), settings, 5.0)
    assert failed.value.outcome is Outcome.PERMANENT
    assert "check username and password in config/channels.yaml" in str(failed.value)
    assert "not-the-password" not in str(failed.value)


@pytest.mark.parametrize("logins", ["PLAIN", "LOGIN", "LOGIN PLAIN XOAUTH2"])
def test_each_way_to_log_in_is_known(tmp_path: Path, logins: str) -> None:
    with SmtpStandin(security="starttls", auth=True, room=tmp_path, logins=logins) as server:
        send(server)
        assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("logins", "password", "says"),
    [("XOAUTH2", "x", "offers no login we know (XOAUTH2)"), ("PLAIN", "pässword", "must be ASCII")],
)
def test_a_login_that_cannot_be_is_permanent(tmp_path: Path, logins: str, password: str, says: str) -> None:
    with SmtpStandin(security="starttls", auth=True, room=tmp_path, logins=logins) as server:
        settings = email.Settings(**server.settings(password=password))
        with pytest.raises(DeliveryError) as failed:
            email.send(mail(), settings, 5.0)
    assert failed.value.outcome is Outcome.PERMANENT
    assert says in str(failed.value)
    assert password not in str(failed.value)


def test_a_server_that_reports_later_is_asked_to_and_told_by_which_name() -> None:
    with SmtpStandin(dsn=True) as server:
        found = send(server)
        (kept,) = server.mails
    assert kept.notify == "FAILURE"
    assert found.provider_id == kept.envelope_id


def test_reports_go_where_the_settings_say() -> None:
    with SmtpStandin() as server:
        settings = email.Settings(**server.settings(bounce_address="bounces@example.com"))
        email.send(mail(), settings, 5.0)
        (kept,) = server.mails
    assert (kept.sender, kept.message["From"]) == ("bounces@example.com", "Tocsin <tocsin@example.com>")


def test_a_burst_of_mails_goes_over_one_connection() -> None:
    with SmtpStandin() as server:
        for number in range(3):
            send(server, delivery=f"INC-1-d{number}")
        assert (len(server.mails), len(server.connections)) == (3, 1)


@pytest.mark.parametrize("address", ["a+b@example.com", "a=b@example.com"])
def test_an_address_with_a_sign_of_its_own_is_written_as_the_rfc_says(address: str) -> None:
    with SmtpStandin(dsn=True) as server:
        send(server, to=address)
        assert server.mails[0].recipients == [address]


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("421 going away", Outcome.TEMPORARY),
        ("450 mailbox busy", Outcome.TEMPORARY),
        ("451 try later", Outcome.TEMPORARY),
        ("452 full", Outcome.TEMPORARY),
        ("550 no such user", Outcome.PERMANENT),
        ("552 too much", Outcome.PERMANENT),
        ("554 spam", Outcome.PERMANENT),
    ],
)
def test_every_refusal_has_its_class(stage: str, answer: str, outcome: Outcome) -> None:
    with SmtpStandin() as server:
        server.refuse[stage] = answer
        failed = failure(server)
    assert failed.outcome is outcome
    assert answer[:3] in str(failed)


@pytest.mark.parametrize(
    ("stage", "outcome", "kept"), [("RCPT", Outcome.TEMPORARY, 0), ("DATA", Outcome.UNKNOWN, 1)]
)
def test_a_connection_that_breaks_after_the_mail_was_handed_over_may_have_delivered(
    stage: str, outcome: Outcome, kept: int
) -> None:
    with SmtpStandin() as server:
        server.drop_at = stage
        assert failure(server).outcome is outcome
        assert len(server.mails) == kept


def test_a_server_that_takes_30_s_to_answer_may_have_delivered() -> None:
    with SmtpStandin() as server:
        server.wait_s = 1.0
        assert failure(server, 0.3).outcome is Outcome.UNKNOWN
        assert len(server.mails) == 1


def test_nobody_listening_is_temporary() -> None:
    with SmtpStandin() as gone:
        pass
    assert failure(gone).outcome is Outcome.TEMPORARY


def test_an_address_in_another_script_is_written_as_it_is() -> None:
    assert sent(to="jürgen@example.com").recipients == ["jürgen@example.com"]


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "mail.example.com", "security": "none"},
        {"from_address": "not an address"},
        {"from_address": "a@b\nBcc: c@d"},
        {"port": 0},
        {"security": "maybe"},
        {"hots": "typo"},
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        email.Settings(**{"host": "localhost", "from_address": "tocsin@example.com", **changes})


def test_sending_in_the_clear_elsewhere_must_be_asked_for() -> None:
    settings = {"host": "mail.example.com", "security": "none", "from_address": "a@example.com"}
    assert email.Settings(**settings, allow_plaintext=True).security == "none"
