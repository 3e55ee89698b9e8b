"""Who dies when: processes of a running town, at named points of their work or at any instant."""

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from stage import Stage, until
from toll import Death

GROUPS = (
    ("append.before", "append.after"),
    ("commit.before", "commit.after"),
    ("deliver.claimed", "deliver.answered"),
    (
        "remediate.claimed", "remediate.answered",
        "remediate.claimed@vercel.rollback", "remediate.answered@vercel.rollback",
    ),
    ("archive.copied",),
)  # fmt: skip
"""Points of the same processes: one of a group is armed at a time."""
POINTS = tuple(point for group in GROUPS for point in group)


def at_any_instant(victim: str) -> str:
    """The name of its row in the toll."""
    return f"any instant: {victim}"


class Armoury:
    """Arms fault points of processes that were started with `environ`, each as often as `owed` says."""

    def __init__(self, room: Path, rounds: int) -> None:
        self._room = room
        room.mkdir()
        chance = random.Random(11)  # noqa: S311  # repeatable, not secret
        self.owed = {point: max(1, rounds // 2) if "@" in point else rounds for point in POINTS}
        self._owed = [self._in_any_order(chance, group) for group in GROUPS]
        self._armed = [""] * len(GROUPS)
        self._since = [0] * len(GROUPS)

    @property
    def environ(self) -> dict[str, str]:
        return {"TOCSIN_FAULT": ",".join(POINTS), "TOCSIN_FAULT_DIR": str(self._room)}

    def _in_any_order(self, chance: random.Random, group: Sequence[str]) -> list[str]:
        points = [point for point in group for _ in range(self.owed[point])]
        return chance.sample(points, len(points))

    def turn(self, accepted: int, between: int) -> bool:
        """Arm what is next where a death has happened and `between` more events were accepted since.

        False once all have happened.
        """
        for number, owed in enumerate(self._owed):
            if self._armed[number] and not (self._room / self._armed[number]).exists():
                self._armed[number], self._since[number] = "", accepted
            if owed and not self._armed[number] and accepted >= self._since[number] + between:
                self._armed[number] = owed.pop()
                (self._room / self._armed[number]).touch()
        return any(self._owed) or any(self._armed)

    def waiting(self) -> str:
        return f"armed: {self._armed}, owed: {[len(owed) for owed in self._owed]}"

    def deaths(self) -> list[Death]:
        """As the processes that died have left them."""
        found = [file for file in self._room.iterdir() if file.suffix[1:].isdigit()]
        return sorted(
            (Death(file.stat().st_ctime_ns, file.stem) for file in found), key=lambda death: death.at
        )


class Killer:
    """Kills processes of a town at random instants, and remembers whom when."""

    def __init__(self, town: Stage, restart_server: Callable[[], object] | None = None) -> None:
        self._town = town
        self._restart_server = restart_server
        self.deaths: list[Death] = []

    def kill(self, victim: str) -> None:
        """With kill -9, once it lives. "forks": what the children are forked from. Raises AssertionError when it does
        not come to life.
        """
        if victim == "supervisor":
            self._note(victim)
            self._town.kill()
        elif victim == "database" and self._restart_server is not None:
            self._note(victim)
            self._restart_server()
        elif victim == "forks":
            child = self._alive("upkeep")
            os.kill(parent(child), signal.SIGKILL)
            # Until the supervisor has noticed they go on, and may take up what is new.
            until(lambda: child not in self._town.pids(), 20, self._town.output)
            self._note(victim)
        else:
            child = self._alive(victim)
            self._note(victim)
            os.kill(child, signal.SIGKILL)

    def _alive(self, child: str) -> int:
        until(lambda: self._town.children().get(child) in self._town.pids(), 20, self._town.output)
        return self._town.children()[child]

    def _note(self, victim: str) -> None:
        self.deaths.append(Death(time.time_ns(), at_any_instant(victim)))


def parent(pid: int) -> int:
    """Raises OSError when there is no such process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
