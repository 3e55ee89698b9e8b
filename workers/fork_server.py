"""The process that the supervisor's children are forked from: what they have in common is imported once, and shared.

`python -m workers.fork_server DESCRIPTOR FOLDER MODULE...`; `workers.forking` asks over the socket of that descriptor.
It never has a thread, a connection or a secret, so a copy of it is as good as a new process. It ends with who asks.
"""

import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from workers import child

SIZE: Final = struct.Struct("!I")
"""Comes before each request: its length in bytes."""
_CHUNK: Final = 65_536
_NAME_MAX: Final = 15
"""Longest name that Linux keeps of a process, in bytes."""


@dataclass(frozen=True, slots=True)
class Birth:
    """What a copy is to become. `output` and `parent_pipe` are descriptors that came with the request."""

    name: str
    target: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    output: int
    parent_pipe: int

    def live(self) -> None:
        """In a session of its own, as a process that was started with this environment would."""
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for found, standard in ((nothing, 0), (self.output, 1), (self.output, 2)):
            os.dup2(found, standard)
        os.close(nothing)
        os.close(self.output)
        os.environ.clear()  # noqa: TID251  # a new process's
        os.environ.update(self.environment)  # noqa: TID251
        time.tzset()
        with suppress(OSError):  # elsewhere than on Linux it goes without
            Path("/proc/self/comm").write_text(self.name[:_NAME_MAX])
        child.live(self.parent_pipe, self.target, self.arguments)


def main() -> None:
    descriptor, folder, *modules = sys.argv[1:]
    gc.disable()  # looking through what is being imported finds nothing, and takes a fifth of the time
    for module in modules:
        # Who needs one that fails says why when it imports it itself; the others need not suffer.
        with suppress(Exception):
            import_module(module)
    if folder:
        with suppress(Exception):  # whoever puts them into force says what is wrong with them
            read_before(Path(folder))
    # A collector that looks through what was imported would write to it, and make each copy's pages its own.
    gc.collect()
    gc.freeze()
    gc.enable()
    birth = serve(socket.socket(fileno=int(descriptor)))
    if birth is None:
        os._exit(0)  # there is nothing to tidy up, and who ended waits for it
    birth.live()


def read_before(folder: Path) -> None:
    """Parse the configuration's files, which hold no secret: most of what compiling a policy takes, in each copy anew.

    A copy compiles what is in force, whatever that is; a text that is there as well is not parsed again.
    """
    from ledger import policies  # noqa: PLC0415  # who only asks this process needs none of it
    from routing.schema import yaml_marks  # noqa: PLC0415

    for name, text in policies.read_files(folder).items():
        yaml_marks.read(name, text)


def serve(asking: socket.socket) -> Birth | None:
    """Fork whenever asked, and tell who has ended. Returns in each copy; None in the server, once nobody asks."""
    waking, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken)
    while True:
        ready = select.select([asking.fileno(), waking], [], [])[0]
        if waking in ready:
            os.read(waking, _CHUNK)
            _tell_who_ended(asking)
        if asking.fileno() not in ready:
            continue
        birth = _received(asking)
        if birth is None:
            return None
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for each in (waking, woken):
                os.close(each)
            asking.close()
            return birth
        os.close(birth.output)
        os.close(birth.parent_pipe)
        _tell(asking, {"pid": pid})


def _received(asking: socket.socket) -> Birth | None:
    begin, descriptors, _, _ = socket.recv_fds(asking, SIZE.size, 2)
    if not begin:
        return None
    (size,) = SIZE.unpack(begin)
    raw = b""
    while len(raw) < size:
        raw += asking.recv(min(_CHUNK, size - len(raw))) or _gone()
    output, parent_pipe = descriptors
    return Birth(**json.loads(raw), output=output, parent_pipe=parent_pipe)


def _gone() -> bytes:
    raise EOFError("who asked is gone in the middle of a request")


def _tell_who_ended(asking: socket.socket) -> None:
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = found
            _tell(asking, {"ended": pid, "status": os.waitstatus_to_exitcode(status)})


def _tell(asking: socket.socket, what: Mapping[str, Any]) -> None:
    with suppress(OSError):  # who asked is gone: the next look at the socket says so
        asking.sendall(json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
