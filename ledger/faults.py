"""Fault points: where a process can be made to die, so that tests can prove what its death costs.

A test hook and nothing else: without `TOCSIN_FAULT` in the environment every call is a no-op. With
`TOCSIN_FAULT="deliver.claimed:3,commit.before:1"` the process kills itself with SIGKILL at its third arrival
at the first point, or its first at the second. With `TOCSIN_FAULT_DIR` a death takes leave: from that arrival
on, who takes the file of the point's name from that directory dies, and the others live on. The file is
renamed to `<point>.<pid>`; the time of that change is the instant of the death.

Points: append.before, append.after, commit.before, commit.after, deliver.claimed, deliver.answered,
remediate.taken, remediate.claimed, remediate.answered, remediate.reported, archive.copied, dead.dropped. What is done
there may be named as well, by its action or its effect, with a dot for the slash: `remediate.claimed@vercel.rollback`,
`commit.before@INC-1-r1.rollback` (the commit that hands out this step).
"""

import os
import signal
from collections.abc import Mapping
from functools import cache
from pathlib import Path


class Faults:
    def __init__(self, environ: Mapping[str, str]) -> None:
        """Raises ValueError naming what is wrong with TOCSIN_FAULT."""
        self._left = dict(_parse(part) for part in environ.get("TOCSIN_FAULT", "").split(",") if part.strip())
        leave = environ.get("TOCSIN_FAULT_DIR", "")
        self._leave = Path(leave) if leave else None

    def reach(self, point: str, *doing: str) -> None:
        if not self._left:
            return
        for name in (point, *(f"{point}@{each.replace('/', '.')}" for each in doing)):
            if name in self._left:
                self._arrive(name)

    def _arrive(self, name: str) -> None:
        self._left[name] -= 1
        if self._takes_leave(name) if self._leave else self._left[name] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def _takes_leave(self, name: str) -> bool:
        if self._leave is None or self._left[name] > 0:
            return False
        try:
            (self._leave / name).rename(self._leave / f"{name}.{os.getpid()}")
        except FileNotFoundError:
            return False
        return True


def _parse(part: str) -> tuple[str, int]:
    point, _, count = part.strip().partition(":")
    if not (count or "1").isdigit() or int(count or "1") < 1:
        raise ValueError(f"TOCSIN_FAULT: {part!r} is not a fault point; write for example deliver.claimed:3")
    return point, int(count or "1")


@cache
def _faults() -> Faults:
    """Read once, where first asked: whoever is forked is told by its own environment, long after this was imported."""
    return Faults(os.environ)  # noqa: TID251  # a test hook, of no use to any settings module


def reach(point: str, *doing: str) -> None:
    """Say that this process is at a named point of its work, and `doing` what."""
    _faults().reach(point, *doing)
