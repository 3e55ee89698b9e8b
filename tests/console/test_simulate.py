"""`tocsin simulate` and the scenarios of `tocsin check`."""

import shutil
from pathlib import Path

import pytest
from desk import CONFIG, Ask, Desk, Run, outage
from small_policy import POLICY

NIGHT = CONFIG / "tests/sunday-night.yaml"


def changed(tmp_path: Path, name: str, old: str, new: str) -> Path:
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))
    return folder


def test_a_night_is_told_line_by_line_with_who_when_how_and_why(run: Run) -> None:
    out = run("simulate", str(NIGHT), "--config", str(CONFIG)).stdout
    assert "Sun 29 Nov 02:35:00" in out
    assert "PAGE anna by voice" in out
    assert "config/severity.yaml:" in out
    assert "still open at the end: INC-1" in out


def test_json_holds_the_same_for_programs(ask: Ask) -> None:
    found = ask("simulate", str(NIGHT), "--config", str(CONFIG))
    assert found["ok"] is True
    assert found["incidents"][0]["severity"] == "SEV-0"
    assert any("PAGE anna" in line["what"] for line in found["lines"])


def test_an_expectation_that_does_not_hold_is_an_exit_status_and_a_fault(
    run: Run, ask: Ask, tmp_path: Path
) -> None:
    folder = changed(tmp_path, "tests/sunday-night.yaml", "commander, cto", "cto")
    out = run("simulate", str(folder / "tests/sunday-night.yaml"), "--config", str(folder), code=1).stdout
    assert "expected paged in order" in out
    (fault,) = ask("check", "--config", str(folder), code=1)["faults"]
    assert fault["file"] == "config/tests/sunday-night.yaml"
    assert ask("check", "--config", str(folder), "--no-tests")["scenarios"] == 0


def test_either_a_scenario_or_history(run: Run) -> None:
    assert "either" in run("simulate", code=2).output
    assert "either" in run("simulate", str(NIGHT), "--against-history", code=2).output


@pytest.fixture
def past(redis_url: str, tmp_path: Path) -> str:
    """The position of an event that was decided under the shipped configuration."""
    desk = Desk(redis_url, tmp_path, POLICY)
    desk.publish()
    return desk.receive(outage(), b"{}")


@pytest.mark.usefixtures("past")
def test_the_configuration_in_force_differs_in_nothing_from_itself(ask: Ask) -> None:
    found = ask("simulate", "--against-history", "--config", str(CONFIG))
    assert found["before"] == found["after"]
    assert found["differences"] == []
    assert sum(found["before"]["incidents"].values()) == 1


def test_a_change_shows_what_last_month_would_have_been(
    run: Run, ask: Ask, past: str, tmp_path: Path
) -> None:
    folder = changed(tmp_path, "severity.yaml", "default: SEV-2", "default: SEV-4")
    found = ask("simulate", "--against-history", "--config", str(folder))
    (difference,) = found["differences"]
    assert difference["event"] == past
    assert (difference["before"]["severity"], difference["after"]["severity"]) == ("SEV-2", "SEV-4")
    assert found["before"]["pages_by_contact"] != found["after"]["pages_by_contact"]
    out = run("simulate", "--against-history", "--config", str(folder), "--days", "1").stdout
    assert "opened SEV-2" in out
    assert "opened SEV-4" in out
