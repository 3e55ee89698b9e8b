"""A mail that `curl` hands in opens an incident, and another ends it; for anybody else it is refused."""

import subprocess
from pathlib import Path

import pytest
from real_client import installed
from stage import Stage, until

PATIENCE_S = 20.0

pytestmark = [
    pytest.mark.story,
    pytest.mark.xdist_group("realclients"),
    pytest.mark.skipif(not installed("curl"), reason="curl is not installed everywhere"),
]


def send(town: Stage, room: Path, subject: str, to: str) -> "subprocess.CompletedProcess[str]":
    mail = room / "mail.eml"
    mail.write_text(f"From: ups@host.example\r\nTo: <{to}>\r\nSubject: {subject}\r\n\r\nSee the panel.\r\n")
    port = town.environ["TOCSIN_MAIL_PORT"]
    command = (
        "curl", "--silent", "--show-error", f"smtp://127.0.0.1:{port}", "--mail-from", "ups@host.example",
        "--mail-rcpt", to, "--upload-file", str(mail),
    )  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def status(town: Stage) -> list[tuple[str, str]]:
    listed = town.ask("incidents", "list", "--all")["incidents"]
    return [(each["title"], each["status"]) for each in listed if each["service"] == "machines"]


def wait_for(town: Stage, wanted: list[tuple[str, str]]) -> None:
    until(lambda: status(town) == wanted, PATIENCE_S, lambda: str(status(town)))


def test_a_mail_opens_an_incident_and_another_ends_it(town: Stage, tmp_path: Path) -> None:
    mailbox = f"machines+{town.env['TOCSIN_ALERTS_TOKEN']}@in.tocsin.example"
    for subject, reached in (("UPS: power DOWN", "triggered"), ("UPS: power is back", "resolved")):
        sent = send(town, tmp_path, subject, mailbox)
        assert sent.returncode == 0, sent.stderr
        wait_for(town, [("UPS: power DOWN", reached)])


def test_a_mail_for_anybody_else_is_refused(town: Stage, tmp_path: Path) -> None:
    for somebody in ("anna@elsewhere.example", "machines+guess@in.tocsin.example"):
        sent = send(town, tmp_path, "UPS: power DOWN", somebody)
        assert sent.returncode != 0
        assert "550" in sent.stderr
