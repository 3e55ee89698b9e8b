"""`tocsin contacts`: what is still to be filled in is named one by one; an answer or a word verifies."""

import json
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from desk import CONFIG, Ask, Desk, Run
from reached import fill_in, filled_in
from small_policy import POLICY

from console.main import tocsin
from routing.decision import Table
from routing.record import encode
from routing.state import Fact
from routing.trial import Trial


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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped configuration with Anna filled in."""
    found = tmp_path / "config"
    shutil.copytree(CONFIG, found)
    file = found / "oncall.yaml"
    file.write_text(filled_in(file.read_text()))
    return found


def unverified(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in told["warnings"] if "no verified method" in each["found"]]


def test_check_warns_of_who_is_not_verified_until_the_commands_it_names_were_run(
    desk: Desk, run: Run, ask: Ask, folder: Path
) -> None:
    fill_in(desk)
    check = ("check", "--no-tests", "--config", str(folder))
    (warning,) = unverified(ask(*check))
    line = next(
        n for n, text in enumerate((folder / "oncall.yaml").read_text().split("\n"), 1) if "anna:" in text
    )
    assert (warning["file"], warning["line"], warning["path"]) == (
        "config/oncall.yaml",
        line,
        "contacts.anna",
    )
    assert warning["found"] == "anna has no verified method for SEV-0, SEV-1, SEV-2, SEV-3, SEV-4"
    said = run(*check).stdout
    assert "warning: contacts.anna: anna has no verified method for SEV-0" in said
    assert "not looked at" not in said
    commands = re.findall(r"tocsin (contacts verify \S+ --channel \S+)", warning["fix"])
    assert "contacts verify anna --channel voice" in commands
    for command in commands:
        run(*command.split())
    assert unverified(ask(*check)) == []


def test_check_names_the_severities_that_are_left(desk: Desk, run: Run, ask: Ask, folder: Path) -> None:
    fill_in(desk)
    run("contacts", "verify", "anna", "--channel", "mail")
    (warning,) = unverified(ask("check", "--no-tests", "--config", str(folder)))
    assert warning["found"] == "anna has no verified method for SEV-0, SEV-1"


@pytest.fixture
def mute() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}"


def checked(folder: Path, url: str, data: Path, *more: str) -> str:
    environ = {"TOCSIN_REDIS_URL": url, "TOCSIN_DATA": str(data)}
    result = CliRunner().invoke(tocsin, ["check", "--no-tests", "--config", str(folder), *more], env=environ)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("url", ["", "redis://127.0.0.1:1", "amqp://127.0.0.1"])
def test_check_without_a_database_says_so_in_one_line_and_is_good(
    url: str, folder: Path, tmp_path: Path
) -> None:
    said = checked(folder, url, tmp_path)
    assert said.count("verified methods not looked at: no database reachable: ") == 1
    assert ": good, version " in said
    told = json.loads(checked(folder, url, tmp_path, "--json"))
    assert told["ok"] is True
    assert told["verified_methods_not_looked_at"].startswith("no database reachable: ")
    assert unverified(told) == []


def test_check_does_not_wait_for_a_database_that_never_answers(
    mute: str, folder: Path, tmp_path: Path
) -> None:
    assert "verified methods not looked at: no database reachable: " in checked(folder, mute, tmp_path)


def test_a_code_that_is_sent_and_told_to_the_operator_verifies(
    redis_url: str, tmp_path: Path, run: Run, ask: Ask
) -> None:
    desk = Desk(redis_url, tmp_path, POLICY)
    fill_in(desk)
    with desk.folding():
        run("contacts", "verify", "anna", "--channel", "sms", "--send", "--wait", "1s", "--as", "ben", code=1)
        (trial,) = desk.store.records(Table.TRIAL, Trial).values()
        assert (trial.contact, trial.address) == ("anna", "+48501234567")
        wrong = "000000" if trial.code != "000000" else "111111"
        said = run("contacts", "verify", "anna", "--code", wrong, code=1)
        assert "that is not the code" in said.stderr
        run("contacts", "verify", "anna", "--code", trial.code, "--as", "ben")
        proof = state(ask, "anna")["sms"]["verified"]
        assert proof.startswith(f"by the code of {trial.id} over ben's word at ")
        said = run("contacts", "verify", "anna", "--code", "123456", code=1)
        assert "no code is awaited of anna" in said.stderr


def test_a_proof_that_is_too_old_is_named_and_counts_no_more(desk: Desk, run: Run, ask: Ask) -> None:
    fill_in(desk)
    run("contacts", "verify", "anna")
    for method in desk.store.records(Table.FACT, Fact):
        if method.startswith("verified:"):
            old = Fact(value="by ben at 2025-01-01T00:00:00Z")
            desk.client.hset(desk.keys.state(Table.FACT), method, encode(old))
    assert all(row["stale"] for row in state(ask, "anna").values())
    said = run("contacts", "verify", code=1).stdout
    assert "anna: sms +48501234567 is stale: verified by ben at 2025-01-01T00:00:00Z" in said


@pytest.mark.usefixtures("desk")
def test_a_code_is_not_sent_to_a_placeholder_and_one_way_is_chosen(run: Run) -> None:
    assert "is a placeholder" in run("contacts", "verify", "anna", "--send", code=1).stderr
    assert "use one of them" in run("contacts", "verify", "anna", "--send", "--undo", code=2).stderr
