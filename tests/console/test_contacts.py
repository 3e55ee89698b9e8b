"""`tocsin contacts`: what is still to be filled in is named one by one; an answer or a word verifies."""

from typing import Any

import pytest
from desk import CONFIG, Ask, Desk, Run

from ledger import policies
from ledger.catalogue import catalogue
from routing.load import load


def fill_in(desk: Desk) -> None:
    """Anna gets a number and a mailbox of her own."""
    files = policies.read_files(CONFIG)
    text = files["config/oncall.yaml"].replace("+48500000001", "+48501234567")
    files["config/oncall.yaml"] = text.replace("anna@example.com", "anna@booking.example-shop.pl")
    policy = load(files, catalogue())
    policies.publish(desk.client, desk.keys, files, catalogue(), policy, "test")


def state(ask: Ask, contact: str) -> dict[str, Any]:
    return {row["channel"]: row for row in ask("contacts", "list") if row["contact"] == contact}


def test_what_is_to_be_filled_in_is_named_one_by_one_with_its_place(desk: Desk, run: Run) -> None:
    said = run("contacts", "verify", code=1).stdout.splitlines()
    methods = [method for contact in desk.policy.contacts.values() for method in contact.methods]
    assert len(said) == len(methods)
    assert said[0].startswith("anna: voice +48500000001 is to be filled in; config/oncall.yaml:")


def test_a_word_verifies_and_is_taken_back(desk: Desk, run: Run, ask: Ask) -> None:
    fill_in(desk)
    assert ask("oncall", "--at", "2030-01-08")["primary"].keys() >= {"unverified"}
    run("contacts", "verify", "anna", "--channel", "sms", "--as", "ben")
    rows = state(ask, "anna")
    assert rows["sms"]["verified"].startswith("by ben at ")
    assert rows["voice"]["verified"] == rows["mail"]["verified"] == ""
    run("contacts", "verify", "anna")
    assert all(row["verified"] for row in state(ask, "anna").values())
    assert not any(line.startswith("anna:") for line in run("contacts", "verify", code=1).stdout.splitlines())
    run("contacts", "verify", "anna", "--channel", "sms", "--undo")
    assert state(ask, "anna")["sms"]["verified"] == ""


def test_oncall_names_who_has_no_verified_method_for_a_severity(desk: Desk, run: Run, ask: Ask) -> None:
    fill_in(desk)
    run(
        "oncall", "override", "primary", "anna", "--from", "2030-01-08T00:00Z", "--until", "2030-01-09T00:00Z"
    )
    when = ("oncall", "--at", "2030-01-08T12:00")
    assert ask(*when)["primary"]["unverified"] == {"anna": ["SEV-0", "SEV-1", "SEV-2", "SEV-3", "SEV-4"]}
    assert "anna has no verified method for SEV-0, SEV-1, SEV-2" in run(*when).stdout
    run("contacts", "verify", "anna", "--channel", "mail")
    assert ask(*when)["primary"]["unverified"] == {"anna": ["SEV-0", "SEV-1"]}
    run("contacts", "verify", "anna", "--channel", "voice")
    assert ask(*when)["primary"]["unverified"] == {}


@pytest.mark.usefixtures("desk")
def test_a_placeholder_cannot_be_verified_and_an_unknown_channel_is_misuse(run: Run) -> None:
    assert (
        "is a placeholder; fill it in at config/oncall.yaml:"
        in run("contacts", "verify", "anna", code=1).stderr
    )
    said = run("contacts", "verify", "anna", "--channel", "pigeon", code=2).stderr
    assert "anna is not reached by 'pigeon', but by voice, sms, mail" in said
