"""Reports of mail servers: which mail they mean, and what they say of it."""

from email.message import EmailMessage

import pytest
from bouncing import letter, report
from hypothesis import given
from hypothesis import strategies as st
from smtp_standin import Mail

from workers import delivery_report
from workers.delivery_report import Report

NAME = "INC-1-d1.a2.0123456789abcdef"


def sent(name: str = NAME, envelope_id: str = NAME) -> Mail:
    message = EmailMessage()
    message["From"] = "tocsin@example.com"
    message["To"] = "anna@example.com"
    message["Subject"] = "[INC-1] SEV-0 Site is down"
    message["Message-ID"] = f"<{name}@example.com>"
    message.set_content("Site is down")
    return Mail("tocsin@example.com", ["anna@example.com"], message.as_bytes(), 0, envelope_id, "FAILURE")


FAILED = Report(NAME, "INC-1-d1", "bounced", "5.1.1 550 5.1.1 no such user")


@pytest.mark.parametrize("whole", [False, True], ids=["its headers", "all of it"])
@pytest.mark.parametrize("by_envelope", [False, True], ids=["by Message-ID", "by ENVID"])
def test_a_report_names_the_mail_in_either_way(by_envelope: bool, whole: bool) -> None:
    other = "" if not by_envelope else NAME
    mail = sent(name=NAME if not by_envelope else "rewritten.by.a.relay", envelope_id=other)
    assert delivery_report.read(report(mail, by_envelope=by_envelope, whole=whole).content) == FAILED


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("failed", "bounced"),
        ("FAILED", "bounced"),
        ("delivered", "delivered"),
        ("delayed", ""),
        ("relayed", ""),
    ],
)
def test_what_is_only_late_changes_nothing(action: str, status: str) -> None:
    found = delivery_report.read(report(sent(), action=action).content)
    assert found
    assert found.status == status


def test_a_report_cut_off_after_its_status_is_still_understood() -> None:
    whole = report(sent(), whole=True).content
    assert delivery_report.read(whole[: whole.index(b"message/rfc822") + 20]) == FAILED


@pytest.mark.parametrize(
    "name",
    ["INC-1-d1.a2", "INC-1-d1.a2.guess", "INC-1-d1.a2.0123456789ABCDEF", "someone-elses", f"x{NAME}y"],
)
def test_a_report_of_a_mail_that_is_not_ours_is_no_report(name: str) -> None:
    assert delivery_report.read(report(sent(name, name)).content) is None


def test_any_other_mail_is_none() -> None:
    assert delivery_report.read(sent().content) is None
    assert delivery_report.read(letter(f"Subject: failed\n\nYour mail {NAME} failed").content) is None
    about_reading = report(sent()).content.replace(
        b"report-type=delivery-status", b"report-type=disposition-notification"
    )
    assert delivery_report.read(about_reading) is None


def test_what_the_server_wrote_is_one_short_line_without_secrets() -> None:
    said = "550 \x1b[31mno\u202e " + "x" * 500 + " password=hunter2"
    found = delivery_report.read(report(sent(), said=said).content)
    assert found
    assert len(found.detail) <= 200
    assert not {"\x1b", "\u202e", "\n"} & set(found.detail)


@given(where=st.integers(0, 1500), what=st.binary(max_size=40))
def test_no_bytes_break_the_reader(where: int, what: bytes) -> None:
    raw = report(sent(), whole=True).content
    found = delivery_report.read(raw[:where] + what + raw[where:])
    assert found is None or found.delivery


@given(st.binary(max_size=400))
def test_nor_does_what_is_no_mail_at_all(raw: bytes) -> None:
    assert (
        delivery_report.read(b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\n" + raw)
        is None
    )
