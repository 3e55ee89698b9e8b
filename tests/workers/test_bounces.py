"""Mail that came back: read from a real mailbox, it fails its delivery, and the person's next method gets its turn."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shipped
import yaml
from bouncing import letter, report
from desk import Desk
from forked import process
from imap_standin import PASSWORD, USER, ImapStandin
from notices import notice
from smtp_standin import Mail, SmtpStandin
from structlog.testing import capture_logs
from working import until

from ledger import catalogue, log, mailboxes, policies
from routing.entry import Lane, Receipt, decode_entry
from routing.errors import ConfigError
from routing.load import load
from routing.ports import Sent
from workers import environment
from workers.bounces import Bounces
from workers.channels import email
from workers.environment import Role


@pytest.fixture
def box() -> list[Mail]:
    return []


@pytest.fixture
def imap(box: list[Mail]) -> Iterator[ImapStandin]:
    with ImapStandin(lambda: box) as server:
        yield server


@pytest.fixture
def smtp() -> Iterator[SmtpStandin]:
    with SmtpStandin(dsn=True) as server:
        yield server


@pytest.fixture
def desk(redis_url: str, tmp_path: Path, imap: ImapStandin) -> Iterator[Desk]:
    desk = Desk(redis_url, tmp_path, shipped.policy())
    with_bounces(desk, {"host": "127.0.0.1", "port": imap.port, "security": "none"})
    yield desk
    desk.leave()


def with_bounces(desk: Desk, mailbox: dict[str, Any]) -> None:
    files = shipped.files()
    file = yaml.safe_load(files["config/channels.yaml"])
    login = {"username": USER, "password": "${BOUNCES_IMAP_PASSWORD}"}
    file["channels"]["mail"]["bounces"] = {**login, **mailbox}
    files["config/channels.yaml"] = yaml.safe_dump(file)
    desk.policy = load(files, catalogue.catalogue())
    policies.publish(desk.client, desk.keys, files, catalogue.catalogue(), desk.policy, "test")
    desk.fold()


def look(desk: Desk, environ: dict[str, str] | None = None) -> list[Receipt]:
    """One round of a fresh process, and what it appended."""
    before = desk.client.xlen(desk.keys.log(Lane.CONTROL))
    given = {"BOUNCES_IMAP_PASSWORD": PASSWORD} if environ is None else environ
    Bounces(desk.client, desk.keys, given, timeout_s=5).round()
    return receipts(desk, before)


def receipts(desk: Desk, after: int = 0) -> list[Receipt]:
    found = log.read(desk.client, desk.keys, {Lane.CONTROL: "0-0"}, 1000, 0).get(Lane.CONTROL, [])[after:]
    return [each for each in (decode_entry(raw) for _, raw in found) if isinstance(each, Receipt)]


def send(smtp: SmtpStandin, delivery: str = "INC-1-d1") -> Sent:
    return email.send(
        notice(delivery=delivery, to="anna@example.com"), email.Settings(**smtp.settings()), 5.0
    )


def test_a_report_becomes_a_receipt_once(
    desk: Desk, smtp: SmtpStandin, imap: ImapStandin, box: list[Mail]
) -> None:
    sent = send(smtp)
    box.append(report(smtp.mails[0]))
    (receipt,) = look(desk)
    assert (receipt.delivery, receipt.status, receipt.provider_id) == (
        "INC-1-d1",
        "bounced",
        sent.provider_id,
    )
    assert receipt.detail == "5.1.1 550 5.1.1 no such user"
    assert look(desk) == []
    assert imap.seen == {1}


def test_what_is_not_understood_is_neither_touched_nor_read_again(
    desk: Desk, smtp: SmtpStandin, imap: ImapStandin, box: list[Mail]
) -> None:
    send(smtp)
    box += [letter("Subject: Lunch?\n\nToday?"), report(smtp.mails[0]), letter("Subject: \xff\n\n\x00")]
    assert len(look(desk)) == 1
    assert (imap.seen, imap.deleted, imap.expunged) == ({2}, set(), set())
    assert not any("STORE" in command and "Deleted" in command for command in imap.commands)
    imap.commands.clear()
    assert look(desk) == []
    assert not any("FETCH" in command for command in imap.commands)


def test_what_comes_later_is_read_and_nothing_twice(desk: Desk, smtp: SmtpStandin, box: list[Mail]) -> None:
    for number in range(3):
        send(smtp, f"INC-1-d{number}")
        box.append(report(smtp.mails[number], by_envelope=number % 2 == 0))
        assert [each.delivery for each in look(desk)] == [f"INC-1-d{number}"]


def test_a_server_that_counts_anew_is_read_from_the_start(
    desk: Desk, smtp: SmtpStandin, imap: ImapStandin, box: list[Mail]
) -> None:
    send(smtp)
    box.append(report(smtp.mails[0]))
    look(desk)
    imap.validity = 2
    assert len(look(desk)) == 1
    assert mailboxes.of(desk.client, desk.keys, "mail") == mailboxes.Reading(validity=2, uid=1)


def test_a_reader_that_dies_goes_on_where_it_was(
    desk: Desk, smtp: SmtpStandin, imap: ImapStandin, box: list[Mail]
) -> None:
    for number in range(3):
        send(smtp, f"INC-1-d{number}")
        box.append(report(smtp.mails[number]))
    imap.hang_up_at = "UID FETCH 2"
    assert [each.delivery for each in look(desk)] == ["INC-1-d0"]
    imap.hang_up_at = ""
    assert [each.delivery for each in look(desk)] == ["INC-1-d1", "INC-1-d2"]


@pytest.mark.parametrize(
    ("environ", "hang_up_at", "says"),
    [
        ({"BOUNCES_IMAP_PASSWORD": "wrong"}, "", "cannot be read"),
        ({}, "", "BOUNCES_IMAP_PASSWORD not set"),
        ({"BOUNCES_IMAP_PASSWORD": PASSWORD}, "LOGIN", "cannot be read"),
    ],
)
def test_a_mailbox_that_cannot_be_read_is_told_of_once(
    desk: Desk, imap: ImapStandin, environ: dict[str, str], hang_up_at: str, says: str
) -> None:
    imap.hang_up_at = hang_up_at
    with capture_logs() as told:
        for _ in range(2):  # also by another process
            Bounces(desk.client, desk.keys, environ, timeout_s=5).round()
    (line,) = [each for each in told if each["event"] == "mail that comes back cannot be read"]
    assert says in line["reason"]
    assert "wrong" not in line["reason"]
    counted = desk.client.hget(desk.keys.metrics, 'tocsin_bounces_total{channel="mail",outcome="failed"}')
    assert counted == b"2"


def test_a_mailbox_that_can_be_read_again_goes_on_where_it_was(
    desk: Desk, smtp: SmtpStandin, imap: ImapStandin, box: list[Mail]
) -> None:
    send(smtp)
    box.append(report(smtp.mails[0]))
    look(desk)
    imap.hang_up_at = "SELECT"
    look(desk)
    failing = mailboxes.of(desk.client, desk.keys, "mail")
    assert failing.failing_since > 0
    look(desk)
    assert mailboxes.of(desk.client, desk.keys, "mail").failing_since == failing.failing_since
    imap.hang_up_at = ""
    assert look(desk) == []
    assert mailboxes.of(desk.client, desk.keys, "mail") == mailboxes.Reading(validity=1, uid=1)


def test_a_channel_without_a_mailbox_any_more_is_forgotten(desk: Desk) -> None:
    look(desk)
    assert list(mailboxes.all_of(desk.client, desk.keys)) == ["mail"]
    with_bounces(desk, {"host": ""})
    look(desk)
    assert mailboxes.all_of(desk.client, desk.keys) == {}


def test_upkeep_reads_them(
    desk: Desk, smtp: SmtpStandin, imap: ImapStandin, box: list[Mail], redis_url: str, tmp_path: Path
) -> None:
    send(smtp)
    box.append(report(smtp.mails[0]))
    with process(
        "workers.upkeep:main",
        TOCSIN_REDIS_URL=redis_url,
        TOCSIN_DATA=str(tmp_path),
        BOUNCES_IMAP_PASSWORD=PASSWORD,
    ):
        until(lambda: imap.seen, 30, "upkeep to read the mailbox")
    assert [each.status for each in receipts(desk)] == ["bounced"]


def test_who_reads_mail_that_came_back_gets_that_password_and_no_other(desk: Desk) -> None:
    reads, sends = (environment.secrets_of(role, desk.policy) for role in (Role.UPKEEP, Role.DELIVER))
    assert ("BOUNCES_IMAP_PASSWORD" in reads, "SMTP_PASSWORD" in reads) == (True, False)
    assert ("BOUNCES_IMAP_PASSWORD" in sends, "SMTP_PASSWORD" in sends) == (False, True)


@pytest.mark.parametrize(
    ("channel", "bounces", "says"),
    [
        ("mail", {"hots": "x"}, "hots"),
        ("mail", {"host": "imap.example.com", "security": "none"}, "does not fit"),
        ("sms", {"host": "imap.example.com"}, "reports in no mailbox"),
    ],
)
def test_a_mailbox_that_cannot_be_is_a_fault(channel: str, bounces: dict[str, Any], says: str) -> None:
    files = shipped.files()
    file = yaml.safe_load(files["config/channels.yaml"])
    file["channels"][channel]["bounces"] = bounces
    files["config/channels.yaml"] = yaml.safe_dump(file)
    with pytest.raises(ConfigError, match=says):
        load(files, catalogue.catalogue())
