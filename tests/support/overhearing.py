"""What this process does to the world, overheard from the interpreter itself: programs, names asked for, connections.

Python tells its audit hooks (PEP 578) of each, whoever does it and by whatever library.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

PROGRAMS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "pty.spawn"}


@dataclass
class Overheard:
    programs: list[tuple[str, ...]] = field(default_factory=list)
    """Argument lists, and what a shell was told."""
    names: set[str] = field(default_factory=set)
    """Host names that were asked for, and addresses that were connected to."""


_listening = threading.local()


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    heard: Overheard | None = getattr(_listening, "heard", None)
    if heard is None:
        return
    if event in PROGRAMS:
        given = arguments[1] if event == "subprocess.Popen" else arguments
        heard.programs.append(tuple(map(str, given)))
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        heard.names.add(str(arguments[0]))
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        heard.names.add(str(arguments[1][0]))


sys.addaudithook(_hear)  # for good, and deaf while nobody listens


@contextmanager
def overheard() -> Iterator[Overheard]:
    """What this thread does meanwhile."""
    heard = _listening.heard = Overheard()
    try:
        yield heard
    finally:
        _listening.heard = None
