"""The embedded server as a process: our child, or a survivor that somebody before us started.

As long as it lives it holds a lock on a file in its directory: the file is opened by who starts it, and the
lock goes with the open file into the server. So two servers never write one directory, whatever became of
the socket.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LOCK = "server.lock"
_POLL_S = 0.01
_NAME = b"valkey-server"
_WAY = 10
"""Niceness of what gives way: a tenth of a contended core, so that it still comes to an end."""

_ENVIRONMENT = {
    "PATH": os.defpath,
    "LC_ALL": "C",
    # Memory in huge pages, where the system has them for who asks. While it forks for a rewrite the server stands
    # still and copies its page tables: 1 to 4 ms for 660 MB so, 14 to 24 ms in small pages. What is written after
    # the fork is copied in small pages all the same.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


@dataclass(frozen=True, slots=True)
class ServerProcess:
    pid: int
    child: subprocess.Popen[bytes] | None = None

    def end(self, sign: signal.Signals, deadline_s: float) -> bool:
        """Send the signal; whether it has ended by the deadline."""
        if self._still_it():
            with suppress(ProcessLookupError):
                os.kill(self.pid, sign)
        return self.ended(deadline_s)

    def ended(self, deadline_s: float) -> bool:
        """Wait for its end, at most until the deadline."""
        until = time.monotonic() + deadline_s
        while self.alive():
            if time.monotonic() > until:
                return False
            time.sleep(_POLL_S)
        return True

    def alive(self) -> bool:
        if self.child is not None:
            return self.child.poll() is None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return not self._is_zombie()

    def put_children_last(self) -> None:
        """Its child, which rewrites the append-only file, takes the time that senders leave it.

        Does nothing on a system without /proc.
        """
        if not self._still_it():
            return
        with suppress(OSError):
            for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
                now = os.getpriority(os.PRIO_PROCESS, int(child))
                os.setpriority(os.PRIO_PROCESS, int(child), max(now, _WAY))

    def _is_zombie(self) -> bool:
        """Ended, but its parent has not asked for its status yet."""
        with suppress(OSError):
            return Path(f"/proc/{self.pid}/stat").read_bytes().rpartition(b")")[2].split()[:1] == [b"Z"]
        return False

    def _still_it(self) -> bool:
        """The pid of a survivor may belong to somebody else by now: then hands off."""
        if self.child is not None:
            return self.alive()
        try:
            return _NAME in Path(f"/proc/{self.pid}/cmdline").read_bytes()
        except FileNotFoundError:  # gone, or a system without /proc
            return not Path("/proc").is_dir()


def started(command: Callable[[], Sequence[str]], home: Path, log_file: Path) -> ServerProcess | None:
    """Start a server for the directory `home`; None when one is alive there. Raises OSError.

    `command` is asked for once it is certain that nobody else serves the directory.
    """
    with (home / _LOCK).open("a+") as lock, log_file.open("ab") as log:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        # Nothing of our environment: the server has no use for our secrets.
        child = subprocess.Popen(  # noqa: S603 - our own binary, our own arguments
            command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home,
            env=_ENVIRONMENT,
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )
        lock.truncate(0)
        lock.write(f"{child.pid}\n")
    return ServerProcess(child.pid, child)


def unreachable(home: Path) -> ServerProcess | None:
    """The server that was last started for a directory, dead or alive."""
    with suppress(OSError, ValueError):
        return ServerProcess(int((home / _LOCK).read_text()))
    return None
