"""email_probe.send over real SMTP and real IMAP: what is accepted, what arrives, and what neither can say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificate import certificate
from imap_standin import PASSWORD, USER, ImapStandin
from smtp_standin import SmtpStandin

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import credentials
from workers.actions import email_probe


@pytest.fixture
def smtp() -> Iterator[SmtpStandin]:
    with SmtpStandin() as server:
        yield server


@pytest.fixture
def imap(smtp: SmtpStandin) -> Iterator[ImapStandin]:
    with ImapStandin(lambda: smtp.mails) as server:
        yield server


def mailbox(imap: ImapStandin, **changes: Any) -> dict[str, Any]:
    plain = {
        "host": "127.0.0.1",
        "port": imap.port,
        "security": "none",
        "username": USER,
        "password": PASSWORD,
    }
    return {**plain, **changes}


def step(
    smtp: SmtpStandin, box: dict[str, Any] | None = None, timeout_s: float = 5.0, **changes: Any
) -> Step:
    settings = {**smtp.settings(), "to": "probe@example.com", **({"mailbox": box} if box else {}), **changes}
    return Step(settings=credentials.as_text(settings), timeout_s=timeout_s, idempotency_key="", now=0)


def send(at: Step, **params: Any) -> dict[str, Any]:
    return email_probe.send(at, email_probe.Send(**params))


def test_without_a_mailbox_the_servers_acceptance_is_all_it_says(smtp: SmtpStandin) -> None:
    found = send(step(smtp))
    assert (found["ok"], found["accepted"], found["arrived"], found["outcome"]) == (True, True, None, "ok")
    assert found["answer"] == "250 OK queued as 1"
    (mail,) = smtp.mails
    assert mail.recipients == ["probe@example.com"]
    assert found["token"] in str(mail.message["Subject"])
    assert mail.message["Auto-Submitted"] == "auto-generated"


def test_each_mail_has_a_token_of_its_own(smtp: SmtpStandin) -> None:
    assert send(step(smtp))["token"] != send(step(smtp))["token"]


def test_with_a_mailbox_it_is_seen_to_arrive_and_taken_away(smtp: SmtpStandin, imap: ImapStandin) -> None:
    old = send(step(smtp))
    found = send(step(smtp, mailbox(imap)))
    assert (found["ok"], found["arrived"]) == (True, True)
    assert found["arrived_ms"] >= 0
    assert imap.expunged == {2}
    assert imap.found(old["token"]) == [1], "no other mail is touched"


def test_a_mail_that_comes_late_is_waited_for(smtp: SmtpStandin, imap: ImapStandin) -> None:
    imap.arrives = lambda _: imap.commands.count("NOOP") >= 1
    found = send(step(smtp, mailbox(imap)))
    assert (found["ok"], found["arrived"]) == (True, True)
    assert found["arrived_ms"] >= 900


def test_a_mail_that_was_accepted_and_does_not_come_is_ill(smtp: SmtpStandin, imap: ImapStandin) -> None:
    imap.arrives = lambda _: False
    found = send(step(smtp, mailbox(imap), timeout_s=10), wait_s=1)
    assert (found["ok"], found["accepted"], found["arrived"]) == (False, True, False)
    assert "has not arrived within" in found["error"]


def test_over_tls_on_both_ways(tmp_path: Path) -> None:
    file, context = certificate(tmp_path)
    (tmp_path / "smtp").mkdir()
    with (
        SmtpStandin(security="starttls", auth=True, room=tmp_path / "smtp") as smtp,
        ImapStandin(lambda: smtp.mails, context) as imap,
    ):
        box = mailbox(imap, security="tls", ca_file=str(file))
        assert send(step(smtp, box))["arrived"]
        with pytest.raises(ActionError, match="certificate") as failed:
            send(step(smtp, mailbox(imap, security="tls")))
        assert failed.value.outcome is Outcome.TEMPORARY


def test_a_server_that_cannot_delete_one_mail_alone_keeps_it(smtp: SmtpStandin) -> None:
    with ImapStandin(lambda: smtp.mails, uidplus=False) as imap:
        assert send(step(smtp, mailbox(imap)))["arrived"]
        assert (imap.deleted, imap.expunged) == ({1}, set())
        assert not [each for each in imap.commands if "EXPUNGE" in each]


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(("answer", "outcome"), [("451 later", "temporary"), ("550 no", "permanent")])
def test_what_the_server_refuses_is_a_result_with_its_class(
    smtp: SmtpStandin, stage: str, answer: str, outcome: str
) -> None:
    smtp.refuse[stage] = answer
    found = send(step(smtp))
    assert (found["ok"], found["accepted"], found["outcome"]) == (False, False, outcome)
    assert answer[:3] in found["error"]


def test_nobody_listening_is_a_result() -> None:
    with SmtpStandin() as gone:
        pass
    found = send(step(gone))
    assert (found["ok"], found["outcome"]) == (False, "temporary")


def test_silence_after_it_was_handed_in_is_made_up_for_by_its_arrival(
    smtp: SmtpStandin, imap: ImapStandin
) -> None:
    smtp.drop_at = "DATA"
    lost = send(step(smtp))
    assert (lost["ok"], lost["outcome"], lost["arrived"]) == (False, "unknown", None)
    found = send(step(smtp, mailbox(imap)))
    assert (found["ok"], found["accepted"], found["arrived"], found["error"]) == (True, True, True, "")


@pytest.mark.parametrize(
    ("changes", "outcome", "says"),
    [
        ({"password": "not-the-password"}, Outcome.PERMANENT, "AUTHENTICATIONFAILED"),
        ({"folder": "Nowhere"}, Outcome.PERMANENT, "no such mailbox"),
        ({"security": "tls"}, Outcome.TEMPORARY, ""),
    ],
    ids=["password", "folder", "no TLS"],
)
def test_a_mailbox_that_cannot_be_read_says_nothing_of_the_mail(
    smtp: SmtpStandin, imap: ImapStandin, changes: dict[str, Any], outcome: Outcome, says: str
) -> None:
    with pytest.raises(ActionError, match=r"mailbox at .* cannot be read") as failed:
        send(step(smtp, mailbox(imap, **changes)))
    assert failed.value.outcome is outcome
    assert says in str(failed.value)
    assert "not-the-password" not in str(failed.value)


@pytest.mark.parametrize("command", ["LOGIN", "SELECT", "UID SEARCH"])
def test_a_mailbox_that_hangs_up_is_to_be_asked_later(
    smtp: SmtpStandin, imap: ImapStandin, command: str
) -> None:
    imap.hang_up_at = command
    with pytest.raises(ActionError) as failed:
        send(step(smtp, mailbox(imap)))
    assert failed.value.outcome is Outcome.TEMPORARY


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "a@b, c@d"},
        {"to": ""},
        {"mailbox": {"host": "mail.example.com", "security": "none"}},
        {"security": "maybe"},
    ],
)
def test_settings_that_cannot_work_are_refused_before_anything_is_sent(
    smtp: SmtpStandin, changes: dict[str, Any]
) -> None:
    with pytest.raises(ActionError, match=r"email_probe in config/actions\.yaml") as failed:
        send(step(smtp, **changes))
    assert failed.value.outcome is Outcome.PERMANENT
    assert smtp.mails == []


def test_where_it_goes_is_no_parameter() -> None:
    with pytest.raises(ValueError, match="to"):
        email_probe.Send.model_validate({"to": "victim@example.com"})


def test_a_dry_run_says_whom_it_would_write_to(smtp: SmtpStandin) -> None:
    plan = email_probe.ACTIONS["send"].plan
    assert plan
    told = plan(step(smtp), email_probe.Send())
    assert told["would"] == {"mail": "probe@example.com", "over": f"127.0.0.1:{smtp.port}"}
    assert smtp.mails == []
