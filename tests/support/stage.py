"""A whole Tocsin for a test: `tocsin up` in a directory of its own, stopped and cleared away afterwards."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from redis import Redis

from console.main import tocsin
from ledger.connection import connect
from ledger.keys import Keys
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings

ROOT = Path(__file__).resolve().parents[2]
READY_S = 40.0
PROGRAM = (sys.executable, "-m", "console.main")

NOWHERE = "http://127.0.0.1:9"
"""A port nobody listens at: what a runbook looks at may not be outside of this machine."""

_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "VIRTUAL_ENV")

_LIVES = re.compile(r"(?P<name>\S+)\s*\| (?:started|back|attached to the running server), pid (?P<pid>\d+)")


class Stage:
    """Make one, `start()` it, and use `url`, `redis`, `env`. `output()` is all it printed so far."""

    def __init__(
        self, room: Path, environ: Mapping[str, str] | None = None, config: Mapping[str, str] | None = None
    ) -> None:
        """`config`: file name under `config/` -> its text instead of the shipped one."""
        self.room = room
        self.data_dir = room / "var"
        self.config_dir = room / "config"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.keys = Keys()
        self.process: subprocess.Popen[bytes] | None = None
        self._printed = room / "up.txt"
        self._redis: Redis | None = None
        shutil.copytree(ROOT / "config", self.config_dir)
        for name, text in (config or {}).items():
            (self.config_dir / name).parent.mkdir(exist_ok=True)
            (self.config_dir / name).write_text(text)
        self.environ = {
            **{name: value for name in _KEPT if (value := os.environ.get(name))},  # a new process
            "TOCSIN_CONFIG": str(self.config_dir),
            "TOCSIN_DATA": str(self.data_dir),
            "TOCSIN_ENV_FILE": str(room / ".env"),
            "TOCSIN_RECEIVER_PORT": str(self.port),
            "TOCSIN_CONSOLE": "off",  # one process less to wait for, and no port in common
            "TOCSIN_SITE_URL": NOWHERE,
            "VERCEL_STATUS_BASE_URL": NOWHERE,
            **(environ or {}),
        }

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def redis(self) -> Redis:
        if self._redis is None:
            url = self.environ.get("TOCSIN_REDIS_URL", "")
            self._redis = connect(LedgerSettings(data_dir=self.data_dir, redis_url=url))
        return self._redis

    @property
    def env(self) -> dict[str, str]:
        """The development secrets it made."""
        lines = (self.room / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))

    def start(self) -> "Stage":
        self.launch()
        return self.wait_ready()

    def launch(self) -> None:
        """Start it, and do not wait."""
        with self._printed.open("ab") as out:
            self.process = subprocess.Popen(
                [*PROGRAM, "up"], cwd=self.room, env=self.environ, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip

    def wait_ready(self, within_s: float = READY_S) -> "Stage":
        said = f"ready, pid {self.pid}:"

        def ready() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, f"tocsin up ended:\n{self.output()}"
            return said in self.output()

        until(ready, within_s, self.output)
        return self

    def tocsin(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Any command against it, with its secrets."""
        return subprocess.run(
            [*PROGRAM, *arguments], cwd=self.room, env=self._told(), capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    def ask(self, *arguments: str) -> Any:
        """What a command prints with --json, run in this process: it is asked often.

        Raises AssertionError when it found something wrong.
        """
        return json.loads(self._printed_by(*arguments, "--json"))

    def _printed_by(self, *arguments: str) -> str:
        nothing_of_ours = dict.fromkeys(name for name in os.environ if name.startswith("TOCSIN_"))
        done = CliRunner().invoke(tocsin, arguments, env={**nothing_of_ours, **self._told()})
        assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
        return done.stdout

    def _told(self) -> dict[str, str]:
        return {**self.env, **self.environ} if (self.room / ".env").exists() else self.environ

    def send(self, *arguments: str) -> str:
        """`tocsin send`, from this process; returns the id of the (last) event."""
        return self._printed_by("send", *arguments).split()[-1]

    def output(self) -> str:
        return self._printed.read_text(errors="replace") if self._printed.exists() else ""

    def pids(self) -> list[int]:
        """Every living process that belongs to this stage: supervisor, children, server."""
        mine = f"TOCSIN_DATA={self.data_dir}\0".encode()
        found = []
        for each in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mine in (each / "environ").read_bytes() or (each / "cwd").readlink().is_relative_to(
                    self.data_dir
                ):
                    found.append(int(each.name))
        return found

    def children(self) -> dict[str, int]:
        """Name -> pid of each child as last started, or found running."""
        lines = (_LIVES.match(line) for line in self.output().splitlines())
        return {found["name"]: int(found["pid"]) for found in lines if found}

    def kill(self) -> None:
        """Kill the supervisor alone, as the system would when memory runs out."""
        os.kill(self.pid, signal.SIGKILL)
        assert self.process is not None
        self.process.wait()

    def stop(self, within_s: float = 10.0, *, ctrl_c: bool = False) -> float:
        """Ask it to end, or as a terminal does on Ctrl-C; returns the seconds it took."""
        began = time.monotonic()
        if self.process is not None and self.process.poll() is None:
            if ctrl_c:
                os.killpg(self.pid, signal.SIGINT)
            else:
                self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(within_s)
        took = time.monotonic() - began
        if self._redis is not None:
            self._redis.close()
            self._redis = None
        return took

    def clear(self) -> None:
        """As `stop`, and by force what outlived it."""
        self.stop()
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        EmbeddedServer(self.data_dir).stop()


@contextmanager
def stage(
    room: Path, environ: Mapping[str, str] | None = None, config: Mapping[str, str] | None = None
) -> Iterator[Stage]:
    """A ready one."""
    made = Stage(room, environ, config)
    try:
        yield made.start()
    finally:
        made.clear()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def until(holds: Callable[[], object], within_s: float = 10.0, saying: Callable[[], str] = str) -> None:
    """Wait until it holds. Raises AssertionError when it does not in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"it did not come true within {within_s:g} s\n{saying()}"
        time.sleep(0.05)
