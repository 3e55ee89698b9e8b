"""One program from start to end: no shell, nothing inherited, and in time the end of it and of all it started.

It ends with us as well, even by kill -9: else the step's repeat would start it beside itself.
"""

import os
import pwd
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Final, Self

from workers.deadline import Deadline

GRACE_S: Final = 1.0
"""Between being asked to end and being killed."""
_LOOK_S: Final = 0.02
_CHUNK: Final = 65_536
_MOST_CHUNKS: Final = 64
_WATCH: Final = """
import os, signal, sys
said = sys.stdin.read().split()
if said and said[-1] != "done":
    os.killpg(int(said[0]), signal.SIGKILL)
"""
"""Reads until the other end of the pipe is gone, which is ours alone."""


@dataclass(frozen=True, slots=True)
class Command:
    """`argv[0]` is an absolute path, `environment` is all there is, `user` "" is whoever we are.

    `max_output` bounds what is kept, in bytes: the beginning of stdout and the end of stderr.
    """

    argv: Sequence[str]
    environment: Mapping[str, str]
    timeout_s: float
    max_output: int
    directory: str = "/"
    user: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """`status` is the exit status, or minus the signal that ended it. `late`: its time was used up."""

    status: int
    stdout: bytes
    stderr: bytes
    cut: bool
    late: bool
    took_ms: int


def run(command: Command) -> Ran:
    """Wait for it. What it left running in its process group is killed.

    Raises OSError when it cannot be started, KeyError when there is no such user.
    """
    with _Lifeline() as lifeline:
        return _run(command, lifeline)


def _run(command: Command, lifeline: "_Lifeline") -> Ran:
    deadline = Deadline(command.timeout_s)
    process = subprocess.Popen(  # noqa: S603  # the operator's list names it; no shell takes it apart
        list(command.argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(command.environment),
        cwd=command.directory,
        start_new_session=True,
        **_identity(command.user),
    )
    try:
        lifeline.hold(process.pid)
        with _Outputs(process, command.max_output) as outputs:
            late = not outputs.listen(process, deadline)
            if late:
                _signal(process, signal.SIGTERM)
                outputs.listen(process, Deadline(GRACE_S))
            _signal(process, signal.SIGKILL)
            outputs.take_rest()
            status = process.wait()
            return Ran(status, outputs.stdout, outputs.stderr, outputs.cut, late, deadline.passed_ms)
    except BaseException:  # the job's own time may be over in the middle of anything
        _signal(process, signal.SIGKILL)
        process.wait()
        raise


class _Lifeline:
    """A process that kills the group it was told to hold, once ours is gone without a word."""

    def __enter__(self) -> Self:
        self._watch = subprocess.Popen(  # noqa: S603  # our own interpreter
            [sys.executable, "-I", "-S", "-c", _WATCH],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            start_new_session=True,
        )
        return self

    def hold(self, group: int) -> None:
        self._say(str(group))

    def __exit__(self, *_: object) -> None:
        self._say("done")
        with suppress(BrokenPipeError):
            self._watch.__exit__(None, None, None)

    def _say(self, word: str) -> None:
        pipe = self._watch.stdin
        with suppress(BrokenPipeError):
            if pipe:
                pipe.write(f"{word}\n".encode())
                pipe.flush()


def _identity(user: str) -> dict[str, Any]:
    """Raises KeyError."""
    if not user:
        return {}
    known = pwd.getpwnam(user)
    groups = os.getgrouplist(user, known.pw_gid)
    return {"user": known.pw_uid, "group": known.pw_gid, "extra_groups": groups}


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    """To its whole group, which bears its number and outlives it while anybody is in it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


class _Outputs:
    """Both outputs, read as they come so that the program never waits for us, kept only in part."""

    def __init__(self, process: subprocess.Popen[bytes], limit: int) -> None:
        self._pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe]
        self._limit = limit
        self._out, self._err = self._pipes
        self._kept: dict[IO[bytes], bytes] = dict.fromkeys(self._pipes, b"")
        self.cut = False
        self._selector = selectors.DefaultSelector()
        for pipe in self._pipes:
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for pipe in self._pipes:
            pipe.close()

    @property
    def stdout(self) -> bytes:
        return self._kept[self._out]

    @property
    def stderr(self) -> bytes:
        return self._kept[self._err]

    def listen(self, process: subprocess.Popen[bytes], deadline: Deadline) -> bool:
        """Until the program has ended; False when the time is over first."""
        with suppress(TimeoutError):
            while process.poll() is None:
                self._read(min(_LOOK_S, deadline.left()))
            return True
        return False

    def take_rest(self) -> None:
        """What is still in the pipes. Whoever holds them open beyond the group is not waited for."""
        for _ in range(_MOST_CHUNKS):
            if not self._read(0):
                break

    def _read(self, wait_s: float) -> bool:
        """Whether anything came."""
        if not self._selector.get_map():
            time.sleep(wait_s)  # it has closed its outputs, and runs on
            return False
        came = False
        for key, _ in self._selector.select(wait_s):
            pipe: Any = key.fileobj
            chunk = os.read(pipe.fileno(), _CHUNK)
            if chunk:
                came = True
                self._keep(pipe, chunk)
            else:
                self._selector.unregister(pipe)
        return came

    def _keep(self, pipe: IO[bytes], chunk: bytes) -> None:
        whole = self._kept[pipe] + chunk
        self.cut = self.cut or len(whole) > self._limit
        self._kept[pipe] = whole[-self._limit :] if pipe is self._err else whole[: self._limit]
