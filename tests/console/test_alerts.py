"""Alerts at the command line: a probe in one line, and an alert's event through the real pipeline."""

import shutil
from pathlib import Path

import pytest
import shipped
from click.testing import CliRunner, Result
from desk import Ask, Desk, Run

from console.main import tocsin
from ledger import policies
from routing.load import load
from routing.policy import Probe


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "config"
    shutil.copytree(shipped.FOLDER, found)
    return found


def create(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(tocsin, ["alerts", "create", *arguments], env={"TOCSIN_CONFIG": str(folder)})


def probe(folder: Path, name: str) -> Probe:
    policy = load(policies.read_files(folder), shipped.vendors())
    return next(each for each in policy.probes if each.name == name)


def test_an_alert_of_one_line_is_a_probe_of_the_configuration(folder: Path) -> None:
    before = (folder / "probes.yaml").read_text()
    done = create(folder, "--name", "api-slow", "--condition", "response-time > 2000ms", "--duration", "5m",
                  "--severity", "warning", "--url", "/api", "--service", "booking")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "fires as ApiSlow once 9 of 10 looks 30s apart are bad" in done.output
    assert (folder / "probes.yaml").read_text().startswith(before)
    made = probe(folder, "api-slow")
    assert (made.action, made.params["max_ms"], made.params["url"]) == ("http.probe", 2000, "/api")
    assert (made.kind, made.severity, made.labels) == ("ApiSlow", "warning", {"service": "booking"})


@pytest.mark.parametrize(
    ("condition", "more", "params"),
    [
        ("status != 200", [], {"url": "/", "count": 1, "expect_status": 200, "timeout_ms": 5000}),
        ("content != welcome", [], {"url": "/", "count": 1, "contains": "welcome", "timeout_ms": 5000}),
        ("certificate-days < 14", ["--url", "shop.example"], {"host": "shop.example", "min_days": 14}),
        (
            "connect-time > 500ms",
            ["--url", "db.example:5432"],
            {"host": "db.example", "port": 5432, "max_ms": 500},
        ),
    ],
)
def test_every_condition_is_a_probe_of_its_own(
    folder: Path, condition: str, more: list[str], params: dict[str, object]
) -> None:
    assert create(folder, "--name", "one", "--condition", condition, *more).exit_code == 0
    assert dict(probe(folder, "one").params) == params


def test_without_a_file_there_is_one_and_a_dry_run_writes_nothing(folder: Path) -> None:
    (folder / "probes.yaml").unlink()
    shown = create(folder, "--name", "one", "--condition", "status != 200", "--dry-run")
    assert "name: one" in shown.output
    assert not (folder / "probes.yaml").exists()
    assert create(folder, "--name", "one", "--condition", "status != 200").exit_code == 0
    assert probe(folder, "one").kind == "One"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--name", "one", "--condition", "it is slow"], 2, "is no condition"),
        (["--name", "one", "--condition", "response-time > 2000"], 2, "is not a duration"),
        (["--name", "one", "--condition", "status != teapot"], 2, "is no status"),
        (["--name", "one", "--condition", "connect-time > 1s", "--url", "db"], 2, "is no host with a port"),
        (["--name", "site-health", "--condition", "status != 200"], 1, 'a second probe "site-health"'),
        (["--name", "one", "--condition", "status != 200", "--service", "shpo"], 1, 'no service "shpo"'),
        (
            ["--name", "one", "--condition", "status != 200", "--url", "ftp://x"],
            1,
            ".params.url: a value that does not fit",
        ),
    ],
)
def test_what_would_be_faulty_is_told_and_not_written(
    folder: Path, arguments: list[str], code: int, says: str
) -> None:
    before = (folder / "probes.yaml").read_text()
    done = create(folder, *arguments)
    assert (done.exit_code, says in done.output + done.stderr) == (code, True), done.output
    assert (folder / "probes.yaml").read_text() == before


def test_a_test_goes_the_whole_way_and_says_that_it_is_one(desk: Desk, run: Run, ask: Ask) -> None:
    said = run("alerts", "test", "site-health", "--as", "anna").stdout
    assert "opened INC-1" in said
    shown = ask("incidents", "show", "INC-1")
    assert (shown["title"], shown["severity"]) == ("TEST: The site does not answer", "SEV-0")
    assert "A test that anna has sent" in shown["summary"]
    assert "voice" in {each["channel"] for each in shown["deliveries"]}
    assert "INC-1 is over again" in run("alerts", "test", "site-health", "--resolve").stdout
    assert ask("incidents", "show", "INC-1")["status"] == "resolved"
    assert "no probe 'cook'; there are site-health" in run("alerts", "test", "cook", code=1).stderr
