"""The command line itself: fast, clear about what is wrong, and safe to pipe."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from desk import CONFIG, Ask, Desk, Run
from embedded import running_server

from console.context import Context
from console.decided import wait
from console.main import SECTIONS, tocsin
from ledger import log
from ledger.clock import now_ms
from ledger.connection import connect
from ledger.keys import Keys
from ledger.settings import LedgerSettings
from routing.entry import Command, Lane, Verb


def test_help_lists_every_command_with_a_line_of_its_own() -> None:
    out = CliRunner().invoke(tocsin, ["--help"]).output
    for name in (name for commands in SECTIONS.values() for name in commands):
        (line,) = [line for line in out.splitlines() if line.strip().startswith(f"{name} ")]
        assert len(line.split()) > 2, name
    for name in ("up", "worker", "receiver", "send"):
        assert f"\n  {name} " in out


def test_help_comes_at_once_and_loads_no_command() -> None:
    """The best of three, in CPU time: the machine may be busy, the program may not."""
    program = (
        "import sys; sys.argv = ['tocsin', '--help']\nfrom console.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print([m for m in ('redis', 'rich', 'httpx', 'rq', 'pydantic') if m in sys.modules], file=sys.stderr)"
    )
    taken = []
    for _ in range(3):
        before = os.times()
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        after = os.times()
        taken.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
    assert done.stderr.strip() == "[]"
    assert min(taken) < 0.3


@pytest.mark.parametrize("command", ["status", "incidents list", "why x", "dead list", "oncall", "backup b"])
def test_when_nothing_runs_it_says_how_to_start(tmp_path: Path, command: str) -> None:
    environ = {"TOCSIN_DATA": str(tmp_path / "var"), "TOCSIN_REDIS_URL": ""}
    words = command.replace(" b", f" {tmp_path}/b") if command == "backup b" else command
    done = CliRunner().invoke(tocsin, words.split(), env=environ)
    assert done.exit_code == 1
    assert "start it with: make up" in done.stderr


def test_a_password_in_the_url_is_never_said() -> None:
    environ = {"TOCSIN_REDIS_URL": "redis://user:hunter2@127.0.0.1:1/0"}
    done = CliRunner().invoke(tocsin, ["status"], env=environ)
    assert done.exit_code == 1
    assert "127.0.0.1:1" in done.stderr
    assert "hunter2" not in done.output


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["incidents", "nonsense"], ["status", "--nonsense"], ["why"]]
)
def test_misuse_is_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(tocsin, arguments).exit_code == 2


def test_a_variable_that_cannot_be_read_is_misuse_and_named(run: Run) -> None:
    done = CliRunner().invoke(tocsin, ["status"], env={"TOCSIN_WAIT_REPLICAS": "many"})
    assert (done.exit_code, "TOCSIN_WAIT_REPLICAS" in done.stderr) == (2, True)


def test_a_reader_that_stops_early_is_no_error(desk: Desk, run: Run, redis_url: str) -> None:
    run("incidents", "open", "x")
    environ = os.environ | {"TOCSIN_REDIS_URL": redis_url, "TOCSIN_DATA": str(desk.settings.data_dir)}
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m console.main incidents show INC-1 --json | head -1"],
        env=environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Traceback" not in done.stderr


def test_an_entry_nobody_decides_is_kept_and_said_to_be(redis_url: str, tmp_path: Path) -> None:
    settings = LedgerSettings(redis_url=redis_url, data_dir=tmp_path)
    with connect(settings) as client:
        entry = log.append(client, Keys(), Lane.CONTROL, Command(at=1, incident="INC-1", verb=Verb.ACK))
        with pytest.raises(click.ClickException, match=rf"kept as {entry}, but not decided within 0.1 s"):
            wait(Context(settings, client, Keys()), entry, wait_s=0.1)
        assert client.xlen(Keys().log("control")) == 1


def test_status_counts_what_waits_and_finds_a_missing_dispatcher(
    redis_url: str, tmp_path: Path, ask: Ask
) -> None:
    with connect(LedgerSettings(redis_url=redis_url)) as client:
        for _ in range(3):
            log.append(client, Keys(), Lane.CONTROL, Command(at=now_ms(), incident="INC-1", verb=Verb.ACK))
    found = ask("status", code=1)
    assert found["lanes"] == {"control": 3, "urgent": 0, "bulk": 0}
    assert (found["ok"], found["dispatcher"]) == (False, "")


def test_status_is_good_when_somebody_decides_and_nothing_waits(desk: Desk, ask: Ask) -> None:
    assert ask("status")["ok"] is True


def test_the_shipped_configuration_is_good(run: Run, ask: Ask) -> None:
    assert ask("check", "--config", str(CONFIG))["faults"] == []
    assert "good, version" in run("check", "--config", str(CONFIG)).stdout


def test_every_fault_is_listed_with_its_place_and_what_to_write(run: Run, ask: Ask, tmp_path: Path) -> None:
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    routes = folder / "routes.yaml"
    routes.write_text(routes.read_text() + "\nnonsense: 1\nnonsense: 2\n")
    (folder / "channels.yaml").write_text("channels: 5\n")
    faults = ask("check", "--config", str(folder), code=1)["faults"]
    assert {fault["file"] for fault in faults} >= {"config/routes.yaml", "config/channels.yaml"}
    assert all(fault["line"] and fault["fix"] for fault in faults)
    out = run("check", "--config", str(folder), code=1).stdout
    assert "config/channels.yaml:1:" in out


def test_a_warning_is_told_with_its_place_and_is_no_failure(tmp_path: Path) -> None:
    """The credentials stand where `tocsin up` would read them."""
    names = ("TWILIO_ACCOUNT_SID", "TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_FROM_NUMBER")
    (tmp_path / ".env").write_text("".join(f"{name}=x\n" for name in names))
    environ = {"TOCSIN_ENV_FILE": str(tmp_path / ".env")}
    told = CliRunner().invoke(tocsin, ["check", "--config", str(CONFIG)], env=environ)
    assert told.exit_code == 0
    assert "config/tocsin.yaml:2:13: warning: public_url: http://127.0.0.1:8080" in told.stdout
    assert "config/oncall.yaml:4:5: warning: contacts.anna: a placeholder: voice +48500000001" in told.stdout
    assert f"with {told.stdout.count(': warning: ')} warnings" in told.stdout
    data = json.loads(
        CliRunner().invoke(tocsin, ["check", "--config", str(CONFIG), "--json"], env=environ).stdout
    )
    assert data["ok"]
    assert [each["path"] for each in data["warnings"]][-1] == "public_url"


def test_a_folder_that_is_not_there_is_a_fault(run: Run, tmp_path: Path) -> None:
    assert "there is no such folder" in run("check", "--config", str(tmp_path / "none"), code=1).stdout


def test_what_was_backed_up_comes_back_with_its_configuration(desk: Desk, run: Run, tmp_path: Path) -> None:
    run("incidents", "open", "Slow", "--severity", "SEV-1")
    backup = tmp_path / "tocsin.backup"
    assert "keep it safe" in run("backup", str(backup)).stdout
    assert "is there already" in run("backup", str(backup), code=2).stderr
    run("backup", str(backup), "--force")
    with running_server() as server:
        environ = {"TOCSIN_REDIS_URL": server.url, "TOCSIN_DATA": str(tmp_path / "to")}
        arguments = ["restore", str(backup), "--config-to", str(tmp_path / "config")]
        done = CliRunner().invoke(tocsin, arguments, env=environ)
        assert done.exit_code == 0, done.output
        shown = CliRunner().invoke(tocsin, ["incidents", "list", "--json"], env=environ).stdout
        again = CliRunner().invoke(tocsin, ["restore", str(backup)], env=environ)
    assert json.loads(shown)["incidents"][0]["title"] == "Slow"
    assert (tmp_path / "config/routes.yaml").read_bytes() == (CONFIG / "routes.yaml").read_bytes()
    assert again.exit_code != 0


def test_a_backup_that_is_not_there_is_misuse(run: Run) -> None:
    assert "there is no file nowhere" in run("restore", "nowhere", code=2).stderr


def test_a_restore_starts_the_embedded_server_and_leaves_none_behind(
    desk: Desk, run: Run, tmp_path: Path
) -> None:
    backup = tmp_path / "tocsin.backup"
    run("backup", str(backup))
    environ = os.environ | {"TOCSIN_DATA": str(tmp_path / "fresh"), "TOCSIN_REDIS_URL": ""}
    done = subprocess.run(
        [sys.executable, "-m", "console.main", "restore", str(backup)],
        env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "start with: make up" in done.stdout
    status = CliRunner().invoke(tocsin, ["status"], env=dict(environ))
    assert "start it with: make up" in status.stderr
