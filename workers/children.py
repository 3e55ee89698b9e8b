"""Children of the supervisor: what they are, and one of them from start to end."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from workers.environment import Role
from workers.forking import Forked, ForkError, ForkServer

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
        self._process: Forked | None = None
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
        return self._process.output if self._process else None

    @property
    def due(self) -> bool:
        return self._process is None and time.monotonic() >= self._due

    def start(self, forking: ForkServer, environment: Mapping[str, str], parent_pipe: int) -> None:
        """In a session of its own, so that Ctrl-C reaches the supervisor alone."""
        self.environment = dict(environment)
        self._begun = time.monotonic()
        spec = self.spec
        try:
            self._process = forking.fork(spec.name, spec.target, spec.arguments, environment, parent_pipe)
        except ForkError as error:
            self._say(spec.name, f"not started: {error}")
            self._pause()
        else:
            self._say(spec.name, f"started, pid {self._process.pid}: {spec.does}")

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
        self._process.close()
        self._process, self._rest = None, b""
        self._deaths = 0 if lived > STEADY_S else self._deaths
        self._pause()
        self._say(self.spec.name, f"ended ({_how(status)}) after {lived:.1f} s")
        return pid

    def signal(self, signum: int) -> None:
        if self._process:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signum)

    def _pause(self) -> None:
        self._due = time.monotonic() + BACKOFF_S[min(self._deaths, len(BACKOFF_S) - 1)]
        self._deaths += 1

    def _read(self) -> bytes | None:
        """What it printed; None when nothing (more) is there."""
        if self.output is None:
            return None
        with suppress(BlockingIOError):
            return os.read(self.output, 65_536) or None
        return None


def _how(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
