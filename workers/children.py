"""Children of the supervisor: what they are, and one of them from start to end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from workers.child import PIPE
from workers.environment import Role

BACKOFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
STEADY_S: Final = 10.0
"""Who lived this long has recovered: the next death is a first one again."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One child. `target` is "module:function"; `does` is said when it starts."""

    name: str
    role: Role
    target: str
    arguments: tuple[str, ...] = ()
    does: str = ""


Say = Callable[[str, str], None]
"""Print a line: who, what."""


class Child:
    """Started, listened to, reaped and started again."""

    def __init__(self, spec: Spec, say: Say) -> None:
        self.spec = spec
        self.environment: dict[str, str] = {}
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = 0.0
        self._deaths = 0
        self._due = 0.0
        self._rest = b""

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def output(self) -> int | None:
        """The descriptor its lines come from."""
        return self._process.stdout.fileno() if self._process and self._process.stdout else None

    @property
    def due(self) -> bool:
        return self._process is None and time.monotonic() >= self._due

    def start(self, environment: Mapping[str, str], parent_pipe: int) -> None:
        """In a session of its own, so that Ctrl-C reaches the supervisor alone."""
        self.environment = dict(environment)
        self._begun = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and modules
            [sys.executable, "-m", "workers.child", self.spec.target, *self.spec.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**environment, PIPE: str(parent_pipe), "PYTHONUNBUFFERED": "1"},
            pass_fds=(parent_pipe,),
            start_new_session=True,
        )
        os.set_blocking(self._process.stdout.fileno(), False)  # type: ignore[union-attr]  # it is a pipe
        self._say(self.spec.name, f"started, pid {self._process.pid}: {self.spec.does}")

    def listen(self) -> None:
        """Pass on the complete lines it has printed."""
        while (found := self._read()) is not None:
            *lines, self._rest = (self._rest + found).split(b"\n")
            for line in lines:
                self._say(self.spec.name, line.decode(errors="replace"))

    def reap(self) -> int | None:
        """Its pid if it has ended since; then it is due again after a pause that grows with its deaths."""
        if self._process is None or (status := self._process.poll()) is None:
            return None
        self.listen()
        if self._rest:
            self._say(self.spec.name, self._rest.decode(errors="replace"))
        pid, lived = self._process.pid, time.monotonic() - self._begun
        if self._process.stdout:
            self._process.stdout.close()
        self._process, self._rest = None, b""
        self._deaths = 0 if lived > STEADY_S else self._deaths
        pause = BACKOFF_S[min(self._deaths, len(BACKOFF_S) - 1)]
        self._deaths += 1
        self._due = time.monotonic() + pause
        self._say(self.spec.name, f"ended ({_how(status)}) after {lived:.1f} s")
        return pid

    def signal(self, signum: int) -> None:
        if self._process:
            with suppress(ProcessLookupError):
                self._process.send_signal(signum)

    def _read(self) -> bytes | None:
        """What it printed; None when nothing (more) is there."""
        if self.output is None:
            return None
        with suppress(BlockingIOError):
            return os.read(self.output, 65_536) or None
        return None


def _how(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
