"""Asking the fork server: a process in milliseconds that would take a second to import its modules."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from workers.fork_server import SIZE

PATIENCE_S: Final = 30.0
"""How long the first copy may take on a slow machine: everything is imported before."""
_CHUNK: Final = 65_536
_END_S: Final = 2.0


class ForkError(OSError):
    """The server ended instead of forking. What it printed, it printed where we do."""


class Forked:
    """One process that was forked for us. `output`: the descriptor of what it prints."""

    def __init__(self, server: "ForkServer", pid: int, output: int) -> None:
        self.pid = pid
        self.output = output
        self._server = server

    def poll(self) -> int | None:
        """How it ended as subprocess says it: an exit status, or minus a signal; None while it lives."""
        return self._server.ended(self.pid)

    def close(self) -> None:
        os.close(self.output)


class ForkServer:
    """The server process, started at once so that it imports while others begin, and anew when it died.

    `environment` is what it lives in; a copy gets its own. `modules` are imported before the first copy is made, and
    the configuration's `folder`, where there is one, is read.
    """

    def __init__(
        self, environment: Mapping[str, str], modules: Sequence[str], folder: Path | None = None
    ) -> None:
        self._environment = {**environment, "PYTHONUNBUFFERED": "1"}
        self._arguments = (str(folder.absolute()) if folder else "", *modules)
        self._living: set[int] = set()
        self._ended: dict[int, int] = {}
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Its copies live on: they end with their parent's pipe, or when they are told to."""
        self._asking.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def fork(
        self,
        name: str,
        target: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        parent_pipe: int,
    ) -> Forked:
        """A copy that runs `target`, "module:function", and ends with the other end of `parent_pipe`.

        Raises ForkError when the server ended, or says nothing for `PATIENCE_S`; then all that it has made end.
        """
        if self._process.poll() is not None:
            self._died()
            self._asking.close()
            self._begin()
        born = {"name": name, "target": target, "arguments": [*arguments], "environment": {**environment}}
        raw = json.dumps(born).encode()
        output, its = os.pipe()
        try:
            socket.send_fds(self._asking, [SIZE.pack(len(raw))], [its, parent_pipe])
            self._asking.sendall(raw)
            pid = self._told_pid()
        except OSError as error:
            os.close(output)
            self._died()
            raise ForkError(f"the process that others are forked from has ended: {error}") from error
        finally:
            os.close(its)
        self._living.add(pid)
        os.set_blocking(output, False)
        return Forked(self, pid, output)

    def ended(self, pid: int) -> int | None:
        """How a copy ended, told once; None while it lives."""
        self._asking.setblocking(False)
        try:
            while self._hear() is None:
                pass
        except BlockingIOError:
            pass
        except OSError:
            self._died()
        return self._ended.pop(pid, None)

    def _begin(self) -> None:
        self._rest = b""
        self._asking, its = socket.socketpair()
        with its:
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and modules
                [sys.executable, "-m", "workers.fork_server", str(its.fileno()), *self._arguments],
                stdin=subprocess.DEVNULL,
                env=self._environment,
                pass_fds=(its.fileno(),),
                start_new_session=True,
            )

    def _died(self) -> None:
        """Nobody could tell any more how its copies end: they end with it."""
        self._process.kill()
        self._process.wait()
        for pid in self._living:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):  # ours now only where we are a container's first process
                os.waitpid(pid, 0)
            self._ended[pid] = -signal.SIGKILL
        self._living.clear()

    def _told_pid(self) -> int:
        self._asking.settimeout(PATIENCE_S)
        while True:
            pid = self._hear()
            if pid is not None:
                return pid

    def _hear(self) -> int | None:
        """One more piece of what it tells; the pid if it was of a copy just made. Raises OSError when it is dead."""
        found = self._asking.recv(_CHUNK)
        if not found:
            raise ConnectionResetError("it says nothing more")
        *lines, self._rest = (self._rest + found).split(b"\n")
        pid = None
        for said in map(json.loads, lines):
            if "ended" in said:
                self._living.discard(said["ended"])
                self._ended[said["ended"]] = said["status"]
            else:
                pid = said["pid"]
        return pid
