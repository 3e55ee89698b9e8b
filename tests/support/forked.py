"""Real worker processes for tests, forked as the supervisor forks its children."""

import atexit
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from working import bare, until

from workers.family import fork_server
from workers.forking import ForkServer

CONFIG = Path(__file__).parents[2] / "config"


class Process:
    """One that the supervisor's children are like. `returncode` is None until it is known to have ended."""

    def __init__(
        self,
        target: str,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        out: Path | None = None,
    ) -> None:
        """`out`: the file that what it says is added to; without one we say it ourselves."""
        self._reading, self._writing = os.pipe()
        self._forked = _server().fork(target, target, arguments, environ, self._reading)
        self._printing = threading.Thread(target=self._print, args=(out,), daemon=True)
        self._printing.start()
        self.returncode: int | None = None

    @property
    def pid(self) -> int:
        return self._forked.pid

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._forked.poll()
            if self.returncode is not None:
                os.close(self._reading)
                os.close(self._writing)
        return self.returncode

    def wait(self, within_s: float = 10.0) -> int:
        """For its end. Raises AssertionError when it does not come in time."""
        until(lambda: self.poll() is not None, within_s, f"the end of {self.pid}")
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def send_signal(self, sign: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, sign)

    def close(self) -> None:
        """Kill it if it still runs."""
        self.kill()
        self.wait()
        self._printing.join(5)

    def _print(self, out: Path | None) -> None:
        """It would wait in the middle of a word for somebody who reads. Ends when all that it has started has, too."""
        os.set_blocking(self._forked.output, True)
        told = os.open(out, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644) if out else os.dup(2)
        while said := os.read(self._forked.output, 65_536):
            os.write(told, said)
        os.close(told)
        self._forked.close()


@contextmanager
def process(target: str, *arguments: str, **variables: str) -> Iterator[Process]:
    """A child as the supervisor starts it, killed at the end if it still runs."""
    child = Process(target, arguments, {**bare(os.environ), **variables})  # a new process
    try:
        yield child
    finally:
        child.close()


@cache
def _server() -> ForkServer:
    """One for all tests of this process: what children import is imported once, as it is for the supervisor's."""
    server = fork_server(bare(os.environ), CONFIG)
    atexit.register(server.__exit__, None, None, None)
    return server
