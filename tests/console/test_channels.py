"""`tocsin channels`: the ways out, and what each would send, put together as its worker does."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from desk import CONFIG, Ask, Desk, Run
from reached import delivering, taken
from twilio_standin import settings

from console.main import tocsin
from ledger import policies
from ledger.catalogue import catalogue
from routing.entry import Delivered, Outcome
from routing.load import load

WORDS = {
    "config/templates/sms.page.yaml": 'title: "{{ severity }} for {{ person.title }}"\n',
    "config/templates/page.yaml": 'body: "{{ incident.title | upper }}, a third of {{ 9 // incident.alerts }}"\n',
}


def worded(desk: Desk) -> None:
    files = {**policies.read_files(CONFIG), **WORDS}
    policies.publish(desk.client, desk.keys, files, catalogue(), load(files, catalogue()), "test")


@pytest.mark.usefixtures("desk")
def test_every_channel_is_listed_with_what_it_lacks_and_who_is_reached_by_it(run: Run, ask: Ask) -> None:
    rows = {row["channel"]: row for row in ask("channels", "list")}
    assert {"voice", "sms", "mail"} <= rows.keys()
    assert rows["voice"]["missing"] == [
        "TWILIO_ACCOUNT_SID", "TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_FROM_NUMBER",
    ]  # fmt: skip
    assert rows["voice"]["rings"]
    assert "anna" in rows["sms"]["contacts"]
    assert rows["mail"]["origin"].startswith("config/channels.yaml:")
    assert "SANDBOX here: TWILIO_ACCOUNT_SID" in run("channels", "list").stdout


def test_a_preview_is_what_the_vendor_would_get_in_the_words_of_the_templates(desk: Desk, ask: Ask) -> None:
    worded(desk)
    (sms,) = ask("channels", "preview", "sms", "--contact", "ben", "--severity", "SEV-2")
    assert sms["to"] == sms["fields"]["To"] == desk.policy.contacts["ben"].methods[1].address
    assert sms["fields"]["Body"].startswith(
        "SEV-2 for Ben (technical lead)\nPAYMENTS ARE FAILING, a third of 3"
    )
    assert "Reply ack, resolve or escalate." in sms["fields"]["Body"]
    assert sms["templates"] == {"title": "sms.page", "body": "page"}
    assert sms["characters"]["Body"] == len(sms["fields"]["Body"])


@pytest.mark.usefixtures("desk")
def test_without_a_name_every_channel_is_shown_and_what_never_rings_says_so(run: Run, ask: Ask) -> None:
    shown = {each["channel"]: each for each in ask("channels", "preview", "--kind", "update")}
    assert shown.keys() == {row["channel"] for row in ask("channels", "list")}
    text = run("channels", "preview", "voice").stdout
    assert "<Response>" in text
    assert "not real here: TWILIO_ACCOUNT_SID" in text


def test_a_real_incident_is_previewed_and_a_template_that_fails_for_it_is_found(
    desk: Desk, run: Run, ask: Ask
) -> None:
    run("incidents", "open", "The site is slow", "--severity", "SEV-2")
    incident = ask("incidents", "list")["incidents"][0]["id"]
    (mail,) = ask("channels", "preview", "mail", "--incident", incident, "--contact", "anna")
    assert incident in mail["fields"]["Subject"]
    worded(desk)
    (mail,) = ask("channels", "preview", "mail", "--incident", incident, "--contact", "anna", code=1)
    (failure,) = mail["failures"]
    assert failure.startswith("config/templates/page.yaml:1 body: line 1: integer division")
    said = run("channels", "preview", "mail", "--incident", incident, code=1).stdout
    assert "template failed, plain words instead: config/templates/page.yaml:1" in said


@pytest.mark.usefixtures("desk")
def test_what_the_vendor_takes_is_told_where_it_is_set_up(redis_url: str) -> None:
    told = {f"TWILIO_{name.upper()}": value for name, value in settings("http://127.0.0.1:9").items()}
    environ = {"TOCSIN_REDIS_URL": redis_url, "TWILIO_CALLS_PER_S": "5", **told}
    said = CliRunner().invoke(tocsin, ["channels", "preview", "voice"], env=environ).stdout
    assert "pace: 5 a second of all that are twilio:AC" in said


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("smss",), "no channel 'smss'; did you mean \"sms\"?"),
        (("sms", "--incident", "INC-99"), "no incident 'INC-99'"),
        (("sms", "--contact", "nobody"), "nobody"),
        (("sms", "--kind", "pages"), "'pages' is not one of"),
    ],
)
def test_a_name_that_is_none_is_misuse(run: Run, arguments: tuple[str, ...], said: str) -> None:
    assert said in run("channels", "preview", *arguments, code=2).stderr


def sent(
    ask: Ask, desk: Desk, *arguments: str, answers: Callable[[str], Delivered | None], code: int = 0
) -> Any:
    """What `channels test` says while a worker answers each test so."""
    with delivering(desk, answers):
        return ask("channels", "test", *arguments, code=code)


def test_a_test_says_how_long_each_provider_took_and_that_all_did(desk: Desk, ask: Ask) -> None:
    rows = sent(ask, desk, "--to", "anna", "--wait", "1s", answers=lambda name: taken(name, provider_id="P1"))
    assert [row["channel"] for row in rows] == ["voice", "sms", "mail"]
    assert all(row["reached"] and row["provider_id"] == "P1" for row in rows)
    assert all(0 <= row["accepted_ms"] < 5_000 for row in rows)
    assert all(row["delivered_ms"] is None for row in rows)


def test_a_test_that_fails_or_stays_here_ends_with_1(desk: Desk, ask: Ask) -> None:
    (row,) = sent(
        ask, desk, "sms", "--to", "anna",
        answers=lambda name: taken(name, Outcome.PERMANENT, error="the number cannot be reached"), code=1,
    )  # fmt: skip
    assert (row["progress"], row["error"]) == ("failed", "the number cannot be reached")
    (row,) = sent(
        ask, desk, "sms", "--to", "anna",
        answers=lambda name: taken(name, sandbox=True, provider_id="sandbox 1", answer="not sent: X not set"), code=1,
    )  # fmt: skip
    assert (row["sandbox"], row["reached"], row["error"]) == (True, False, "not sent: X not set")


@pytest.mark.usefixtures("desk")
def test_a_test_needs_somebody_and_a_way_to_them(run: Run) -> None:
    assert "Missing option '--to'" in run("channels", "test", code=2).stderr
    assert (
        "anna is not reached by 'fax', but by voice"
        in run("channels", "test", "fax", "--to", "anna", code=2).stderr
    )
