"""Real worker processes on one server, and Vercel, for repairs that are killed at every boundary of their steps.

Without supervisor, receiver and phones it starts in a second; whoever dies is started anew.
"""

import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from doomed import HURRIED, MANY
from forked import Process
from redis import Redis
from town import UNLIMITED, changed
from vendor_server import Asked, Reply
from vercel_standin import TOKEN
from vercel_team import VercelTeam
from working import bare

from ledger import log, outbox, policies
from ledger.catalogue import catalogue
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.views import Store, Whole
from routing.entry import Lane, Signal
from routing.event import Event, Status
from workers.env_file import PREFIXES
from workers.queues import DISPATCH, REMEDIATE, Queues

CONFIG = Path(__file__).parents[2] / "config"
HOLD_S = 90
"""How long a page waits for the repair."""
CREW = (
    ("dispatch-1", DISPATCH),
    ("dispatch-2", DISPATCH),
    ("remediate-1", REMEDIATE),
    ("remediate-2", REMEDIATE),
)


class KillingVercel(VercelTeam):
    """Kills the worker that asks, once for each (project, part of "METHOD /path"): what was asked for is done."""

    def __init__(self, log: Path) -> None:
        super().__init__(log=log)
        self.targets: dict[str, str] = {}
        self.killed: list[str] = []
        self.worker: Callable[[str], int] = int
        """The pid of who is at a project's step."""

    def answer(self, asked: Asked) -> Reply:
        reply = super().answer(asked)
        part = self.targets.get(self.project.id, "")
        if part and part in f"{asked.method} {asked.path}":
            del self.targets[self.project.id]
            self.killed.append(self.project.id)
            os.kill(self.worker(self.project.id), signal.SIGKILL)
        return reply


def run_of(project: str) -> str:
    """Of the incident about "prj-7", which is the seventh."""
    return f"INC-{project.removeprefix('prj-')}-r1"


@dataclass
class Yard:
    redis: Redis
    url: str
    room: Path
    vercel: KillingVercel
    points: tuple[str, ...]
    keys: Keys = field(default_factory=Keys)
    deaths: int = 0
    _running: dict[str, Process] = field(default_factory=dict)

    @property
    def leave(self) -> Path:
        return self.room / "leave"

    def alert(self, name: str) -> None:
        """The site of a project fails; name is also its service, so its target."""
        labels = {"service": name, "project": name}
        event = Event(source="alertmanager", vendor="alertmanager", kind="HighErrorRate", status=Status.FIRING,
                      key=name, title=f"{name} fails", labels=labels)  # fmt: skip
        log.append(self.redis, self.keys, Lane.URGENT, Signal(at=now_ms(), event=event))

    def keep(self) -> None:
        """Start anew whoever died, as a supervisor does."""
        for name, queue in CREW:
            known = self._running.get(name)
            if known is None or known.poll() is not None:
                self.deaths += known is not None
                if known is not None:
                    known.close()
                self._running[name] = self._start(queue)
        Queues(self.redis).keep_spare()

    def worker(self, project: str) -> int:
        """As its claim tells."""
        ours = run_of(project)
        (claim,) = (
            each for each in outbox.pending(self.redis, self.keys) if each.effect.id.startswith(f"{ours}/")
        )
        return int(claim.worker.rpartition(".")[2])

    def wholes(self) -> dict[str, Whole]:
        """By project."""
        store = Store(self.redis, self.keys, self.room / "archive.db")
        found = (store.whole(incident.id) for incident, _ in store.incidents())
        return {
            whole.incident.service: whole for whole in found if whole and whole.incident.labels.get("project")
        }

    def unspent(self) -> list[str]:
        """Points where nobody has died yet."""
        left = [each.name for each in self.leave.iterdir() if not re.search(r"\.\d+$", each.name)]
        return sorted([*left, *self.vercel.targets])

    def stop(self) -> None:
        for each in self._running.values():
            each.close()

    def _start(self, queue: str) -> Process:
        environ = {
            **bare(os.environ),  # a new process
            "TOCSIN_REDIS_URL": self.url, "TOCSIN_FAULT": ",".join(self.points),
            "TOCSIN_FAULT_DIR": str(self.leave), "TOCSIN_ALLOW_PRIVATE": "true",
            "TOCSIN_SITE_URL": self.vercel.url, "VERCEL_STATUS_BASE_URL": self.vercel.url,
            "VERCEL_BASE_URL": self.vercel.url, "VERCEL_TOKEN": TOKEN,
        }  # fmt: skip
        return Process("workers.serving:main", (queue,), environ, self.room / "said.txt")


@contextmanager
def yard(
    redis: Redis,
    url: str,
    room: Path,
    points: tuple[str, ...],
    asked: Mapping[str, str],
    lost: set[str],
    verify_s: int,
) -> Iterator[Yard]:
    """`points` are fault points, each for one death; `asked`: project -> the request that its worker dies over.

    The sites of `lost` projects stay ill whatever is done. `verify_s`: how long a repair has until the site must
    answer; it takes 8 s to find out that a worker is gone.
    """
    (room / "leave").mkdir()
    for point in points:
        (room / "leave" / point).touch()
    policies.settle(
        redis, Keys(), _config(room / "config", verify_s), dict.fromkeys(PREFIXES, "made-up"), catalogue()
    )
    with KillingVercel(room / "vercel.jsonl") as vercel:
        made = Yard(redis, url, room, vercel, points)
        vercel.targets, vercel.lost, vercel.worker = dict(asked), lost, made.worker
        try:
            yield made
        finally:
            with suppress(ProcessLookupError):
                made.stop()


def _config(folder: Path, verify_s: int) -> Path:
    """The shipped files, of the runbooks only the rollback, and with short waits."""
    shutil.copytree(CONFIG, folder)
    rollback = folder / "runbooks" / "rollback.yaml"
    for book in (folder / "runbooks").glob("*.yaml"):
        if book != rollback:
            book.write_text(re.sub(r"^mode: \w+$", 'mode: "off"', book.read_text(), flags=re.MULTILINE))
    rollback.write_text(
        changed(
            rollback.read_text(), *HURRIED, ("deadline: 5m", f"deadline: {verify_s}s"),
            *((f"timeout: {seconds}s", "timeout: 2s") for seconds in (10, 15, 20, 30)),
        )
    )  # fmt: skip
    site = folder / "tocsin.yaml"
    many = ("max_running: 3", f"max_running: 50\nruns: {MANY}")
    site.write_text(changed(site.read_text(), many, ("hold: 5m", f"hold: {HOLD_S}s")))
    oncall = folder / "oncall.yaml"
    oncall.write_text(UNLIMITED + oncall.read_text())
    return folder
