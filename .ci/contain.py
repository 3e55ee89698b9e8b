"""Run a command and fail when it leaves processes behind: `python .ci/contain.py COMMAND...`.

On Linux this process adopts every orphan of the command (PR_SET_CHILD_SUBREAPER), whatever session or
process group it moved to, so nothing the command started can escape the count. Elsewhere it only runs it.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE_S = 5.0
"""How long what was told to stop may take to do so."""


def adopt_orphans() -> bool:
    if sys.platform != "linux":
        return False
    return bool(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def children() -> dict[int, str]:
    """Process id -> command line of every living descendant that has become our child."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text()
            command = (status.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended while we looked
        state, parent = text.rpartition(")")[2].split()[:2]
        if int(parent) == os.getpid() and state != "Z":
            found[int(status.parent.name)] = command.strip()
    return found


def reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass


def left_behind() -> dict[int, str]:
    deadline = time.monotonic() + GRACE_S
    while (found := children()) and time.monotonic() < deadline:
        reap()
        time.sleep(0.1)
    return found


def end(pids: dict[int, str]) -> None:
    """Kill generation after generation: the children of what was killed become ours in turn."""
    while pids:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        pids = children()


def main(command: list[str]) -> int:
    adopted = adopt_orphans()
    code = subprocess.run(command, check=False).returncode  # noqa: S603  # the command is our own Makefile's
    leaked = left_behind() if adopted else {}
    for pid, line in leaked.items():
        print(f"left behind: {pid} {line[:200]}", file=sys.stderr)
    end(leaked)
    return code or (1 if leaked else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
