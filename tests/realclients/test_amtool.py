"""The real `amtool`, told no more than our address and a token, does with a whole Tocsin what it does with its own."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from real_client import installed
from stage import Stage, until

PATIENCE_S = 20.0
SERVICE = "service=told-by-amtool"
"""So that what others report to the same Tocsin joins none of these incidents."""

pytestmark = [
    pytest.mark.story,
    pytest.mark.xdist_group("realclients"),
    pytest.mark.skipif(
        not installed("amtool"), reason="the distribution's prometheus-alertmanager is not installed"
    ),
]

Amtool = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def amtool(town: Stage, tmp_path: Path) -> Amtool:
    """Runs it with an operator's token."""
    return as_whom(town, tmp_path, town.env["TOCSIN_OPERATOR_TOKEN"])


def as_whom(town: Stage, room: Path, token: str) -> Amtool:
    config = room / f"{len(list(room.iterdir()))}.yml"
    config.write_text(yaml.safe_dump({"authorization": {"credentials": token}}))

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = ("amtool", f"--alertmanager.url={town.url}", f"--http.config.file={config}", *arguments)
        return subprocess.run(command, cwd=room, capture_output=True, text=True, timeout=30, check=False)

    return run


def good(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def asked(amtool: Amtool, *arguments: str) -> Any:
    return json.loads(good(amtool(*arguments, "--output=json")))


def names(amtool: Amtool, *arguments: str) -> list[str]:
    return sorted(each["labels"]["alertname"] for each in asked(amtool, "alert", "query", *arguments))


def test_alerts_are_added_and_queried(amtool: Amtool) -> None:
    good(
        amtool("alert", "add", "AddedByAmtool", SERVICE, "disk=sda", "--annotation=summary=the disk is full")
    )
    until(lambda: names(amtool, "AddedByAmtool") == ["AddedByAmtool"], PATIENCE_S)
    (alert,) = asked(amtool, "alert", "query", "alertname=~Added.*", 'disk="sda"')
    assert alert["annotations"]["summary"] == "the disk is full"
    assert alert["status"]["state"] == "active"
    assert names(amtool, "disk=sdb") == []
    assert "AddedByAmtool" in good(amtool("alert", "query", "AddedByAmtool"))
    assert "the disk is full" in good(amtool("alert", "query", "AddedByAmtool", "--output=extended"))


def test_a_silence_lives_as_amtool_has_it_live(amtool: Amtool, town: Stage) -> None:
    good(amtool("alert", "add", "SilencedByAmtool", SERVICE))
    until(lambda: names(amtool, "SilencedByAmtool") == ["SilencedByAmtool"], PATIENCE_S)
    name = good(
        amtool("silence", "add", "SilencedByAmtool", "--comment=moving it", "--author=anna", "--duration=1h")
    )
    assert names(amtool, "SilencedByAmtool") == []
    assert names(amtool, "--silenced", "SilencedByAmtool") == ["SilencedByAmtool"]
    (known,) = [each for each in town.ask("silence", "list") if each["id"] == name]
    assert (known["by"], known["reason"]) == ("anna", "moving it")
    (shown,) = asked(amtool, "silence", "query", "alertname=SilencedByAmtool")
    assert (shown["id"], shown["status"]["state"]) == (name, "active")
    good(amtool("silence", "update", name, "--duration=3h", "--comment=it takes longer"))
    (longer,) = asked(amtool, "silence", "query", "alertname=SilencedByAmtool")
    assert longer["endsAt"] > shown["endsAt"]
    assert longer["comment"] == "it takes longer"
    good(amtool("silence", "expire", name))
    assert name not in good(amtool("silence", "query", "--quiet"))
    assert name in good(amtool("silence", "query", "--expired", "--within=1h", "--quiet"))
    assert names(amtool, "SilencedByAmtool") == ["SilencedByAmtool"]


def test_silences_are_exported_and_imported(amtool: Amtool, tmp_path: Path) -> None:
    good(amtool("silence", "add", "Exported", "--comment=once", "--author=anna"))
    (shown,) = asked(amtool, "silence", "query", "alertname=Exported")
    (tmp_path / "silences.json").write_text(json.dumps([shown]))
    good(amtool("silence", "import", "--force", "silences.json"))
    both = asked(amtool, "silence", "query", "alertname=Exported", "--created-by=anna")
    assert len({each["id"] for each in both}) == 2
    assert [each["matchers"] for each in both] == [shown["matchers"]] * 2
    assert both[0]["endsAt"] == both[1]["endsAt"] == shown["endsAt"]


def test_a_silence_set_here_is_expired_there(amtool: Amtool, town: Stage) -> None:
    good(
        town.tocsin(
            "silence", "add", 'alertname="SetHere"', "--for", "1h", "--reason", "planned", "--as", "ben"
        )
    )
    (shown,) = asked(amtool, "silence", "query", "alertname=SetHere", "--created-by=ben")
    good(amtool("silence", "expire", shown["id"]))
    assert [each["id"] for each in town.ask("silence", "list") if each["id"] == shown["id"]] == []


def test_it_is_told_why_not(amtool: Amtool) -> None:
    done = amtool("silence", "add", "alertname=~.*", "--comment=everything")
    assert done.returncode != 0
    assert "must not match the empty string" in done.stderr


def test_its_other_questions_are_answered(amtool: Amtool) -> None:
    assert "Uptime" in good(amtool("cluster", "show")) or "Status" in good(amtool("cluster", "show"))
    assert "receivers:" in good(amtool("config", "show"))
    assert "Routing tree" in good(amtool("config", "routes", "show"))


def test_a_sources_token_adds_alerts_and_nothing_else(town: Stage, tmp_path: Path) -> None:
    source = as_whom(town, tmp_path, town.env["TOCSIN_ALERTS_TOKEN"])
    good(source("alert", "add", "AddedByASource", SERVICE))
    for asking in (("alert", "query"), ("silence", "query"), ("silence", "add", "a=b", "--comment=x")):
        done = source(*asking)
        assert done.returncode != 0
        assert "401" in done.stderr
