"""Fault points: where a process can be made to die, so that tests can prove what its death costs.

A test hook and nothing else: without `TOCSIN_FAULT` in the environment every call is a no-op. With
`TOCSIN_FAULT="deliver.claimed:3,commit.before:1"` the process kills itself with SIGKILL at its third arrival
at the first point, or its first at the second. `TOCSIN_FAULT_DIR` makes each point happen once over all
processes: the one that dies leaves a file of the point's name there first, and the others live on.

Points: append.before, append.after, commit.before, commit.after, deliver.claimed, deliver.answered,
remediate.claimed, remediate.answered, archive.copied.
"""

import os
import signal
from collections.abc import Mapping
from pathlib import Path


class Faults:
    def __init__(self, environ: Mapping[str, str]) -> None:
        """Raises ValueError naming what is wrong with TOCSIN_FAULT."""
        self._left = dict(_parse(part) for part in environ.get("TOCSIN_FAULT", "").split(",") if part.strip())
        once = environ.get("TOCSIN_FAULT_DIR", "")
        self._once = Path(once) if once else None

    def reach(self, point: str) -> None:
        if point not in self._left:
            return
        self._left[point] -= 1
        if self._left[point] == 0 and self._mine(point):
            os.kill(os.getpid(), signal.SIGKILL)

    def _mine(self, point: str) -> bool:
        if self._once is None:
            return True
        try:
            (self._once / point).open("x").close()
        except FileExistsError:
            return False
        return True


def _parse(part: str) -> tuple[str, int]:
    point, _, count = part.strip().partition(":")
    if not (count or "1").isdigit() or int(count or "1") < 1:
        raise ValueError(f"TOCSIN_FAULT: {part!r} is not a fault point; write for example deliver.claimed:3")
    return point, int(count or "1")


_faults = Faults(os.environ)  # noqa: TID251  # a test hook, read once, of no use to any settings module


def reach(point: str) -> None:
    """Say that this process is at a named point of its work."""
    _faults.reach(point)
