"""What docker-compose.yml runs, run here: each command as written, each health check well and ill."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import httpx2
import pytest
import seeing
import yaml
from click.testing import CliRunner
from commands import by_itself
from embedded import running_server
from reception import POLICY
from reception import running as receiving
from redis import Redis
from seeing import Seen
from stage import free_port, until

from console.main import tocsin
from console.serving.serve import WAY
from workers.alive import WATCHDOG_SILENT_MS

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[2] / "docker-compose.yml").read_text()
)["services"]
OURS = sorted(name for name in SERVICES if name != "redis")


def check(service: str, room: Path, *, port: int = 0) -> int:
    """Exit status of the container's health check, where the container's port is `port`."""
    kind, program, *arguments = SERVICES[service]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python")
    command = [
        sys.executable,
        *(each.replace(":8080", f":{port}").replace(":8081", f":{port}") for each in arguments),
    ]
    environ = {"PATH": os.environ["PATH"], "TOCSIN_DATA": str(room)}
    return subprocess.run(command, env=environ, capture_output=True, timeout=30, check=False).returncode


def niceness(pid: int) -> set[int]:
    """Of each of its threads: Linux has one for each."""
    return {os.getpriority(os.PRIO_PROCESS, int(task.name)) for task in Path(f"/proc/{pid}/task").iterdir()}


@pytest.mark.parametrize("name", OURS)
def test_a_containers_command_is_one_of_ours_as_it_is_written(name: str) -> None:
    command, *arguments = SERVICES[name]["command"]
    found = tocsin.get_command(click.Context(tocsin), command)
    assert found is not None
    found.make_context(command, list(arguments)).close()
    shown = CliRunner().invoke(tocsin, [command, "--help"], prog_name="tocsin")
    assert shown.exit_code == 0
    assert f"Usage: tocsin {command}" in shown.stdout


def test_a_receiver_is_healthy_when_what_it_takes_is_kept_and_it_knows_its_senders(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    for policy, status in ((POLICY, 0), (None, 1)):
        with receiving(redis, redis_url, policy=policy) as reception:
            assert check("receiver", tmp_path, port=int(reception.url.rpartition(":")[2])) == status
    assert check("receiver", tmp_path, port=9) == 1


def test_a_console_is_healthy_when_it_reads_and_ends_at_once_whoever_looks_on(
    redis_url: str, tmp_path: Path
) -> None:
    port = free_port()
    told = {"TOCSIN_CONSOLE_PORT": str(port)}
    with by_itself(tmp_path, redis_url, "console", **told) as process:
        process.says("become the first admin")
        until(lambda: check("console", tmp_path, port=port) == 0, 20, process.printed)
        ours = os.getpriority(os.PRIO_PROCESS, 0)
        assert niceness(process.process.pid) == {min(19, ours + WAY)}, (
            "pages wait for paging, in every thread"
        )
        secret = Seen("", seeing.site(redis_url, tmp_path)).session("anna")
        with httpx2.Client(trust_env=False, verify=False, cookies={"tocsin": secret}) as http:
            with http.stream("GET", f"http://127.0.0.1:{port}/live?topic=now&since=") as live:
                assert next(live.iter_lines()) == ": live"
                process.process.send_signal(signal.SIGINT)
                assert process.process.wait(5) == 0
    assert check("console", tmp_path, port=port) == 1


def test_a_console_listens_though_the_database_is_dumb_and_greets_once_it_answers(tmp_path: Path) -> None:
    """Until then whoever comes is told what is wrong, and nobody takes it for dead."""
    port = free_port()
    told = {"TOCSIN_CONSOLE_PORT": str(port)}
    with running_server() as server:
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with by_itself(tmp_path, server.url, "console", **told) as process:
                until(lambda: _lives(port), 20, process.printed)
                assert "first admin" not in process.printed()
                os.kill(server.pid, signal.SIGCONT)
                process.says("become the first admin")
        finally:
            os.kill(server.pid, signal.SIGCONT)


def _lives(port: int) -> bool:
    try:
        return (
            httpx2.get(
                f"http://127.0.0.1:{port}/healthz", trust_env=False, verify=False, timeout=5
            ).status_code
            == 200
        )
    except httpx2.TransportError:
        return False


def test_a_watchdog_is_healthy_as_long_as_it_looks_with_redis_or_without(tmp_path: Path) -> None:
    assert check("watchdog", tmp_path) == 1
    sign = tmp_path / "watchdog.alive"
    with by_itself(tmp_path, f"unix://{tmp_path}/nobody", "watchdog"):
        until(sign.exists, 20)
        seen = sign.stat().st_mtime
        until(lambda: sign.stat().st_mtime > seen, 20)
        assert check("watchdog", tmp_path) == 0
    then = time.time() - WATCHDOG_SILENT_MS / 1000 - 5
    os.utime(sign, (then, then))
    assert check("watchdog", tmp_path) == 1
