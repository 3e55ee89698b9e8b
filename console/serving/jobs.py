"""Jobs: what takes longer than a request, done in a thread beside them; whoever began it looks on, or anybody later.

A job that dies with its process has done a part, which is written down, and the rest waits as it did before.
"""

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import redis
import structlog

from ledger import jobs as kept
from ledger.jobs import Failed, Job
from ledger.keys import Keys
from routing.instant import SECOND

FAILURES = 50
MOVES_MS = 250
"""It is written down so often how far it is; each piece at once."""
STILL_MS = 15 * SECOND
"""Not a sign of it for so long, and its process is taken for dead."""
DIED = "it ended with its process; what is left waits as before"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One of many: which, and why it failed, "" when it did not. `noted`: that it is done is written down already."""

    id: str
    error: str = ""
    noted: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A job as it stands. `done`: pieces that went well. `undone`: something takes it back, or has; `broken_undo`: what
    began to, and died.
    """

    job: Job
    done: int
    undone: bool
    broken_undo: str = ""

    @property
    def handled(self) -> int:
        return self.done + self.job.failures


def _new_id() -> str:
    return secrets.token_urlsafe(9)


@dataclass(slots=True)
class Jobs:
    """`now` gives ms since the epoch."""

    now: Callable[[], int]
    client: redis.Redis
    keys: Keys
    _running: set[str] = field(default_factory=set)

    def begin(self, what: str, by: str, total: int, steps: Callable[[str], Iterator[Step]]) -> Job:
        """Carry the steps of the job with this id out, one after the other, in a thread of its own."""
        return self._begin(_new_id(), what, by, total, steps)

    def undo(self, found: "Seen", what: str, by: str, steps: Callable[[str], Iterator[Step]]) -> Job | None:
        """As `begin`, of what takes a job back; None where somebody does, or has."""
        new = _new_id()
        if found.undone or not kept.undo(self.client, self.keys, found.job.id, new, found.broken_undo):
            return None
        return self._begin(new, what, by, found.done, steps)

    def _begin(
        self, name: str, what: str, by: str, total: int, steps: Callable[[str], Iterator[Step]]
    ) -> Job:
        now = self.now()
        job = Job(id=name, what=what, by=by, total=total, began_at=now, moved_at=now)
        kept.keep(self.client, self.keys, job)
        self._running.add(job.id)
        threading.Thread(
            target=self._run, args=(job, steps(job.id)), name=f"job {job.id}", daemon=True
        ).start()
        return job

    def get(self, job_id: str) -> Seen | None:
        job = kept.get(self.client, self.keys, job_id)
        return self._seen(job) if job else None

    def latest(self, most: int) -> Sequence[Seen]:
        return [self._seen(each) for each in kept.latest(self.client, self.keys, most)]

    def pieces(self, job_id: str) -> Iterator[str]:
        """What it has done."""
        return kept.pieces(self.client, self.keys, job_id)

    def _seen(self, job: Job) -> Seen:
        if self._lost(job):
            job = msgspec.structs.replace(job, ended_at=job.moved_at, broken=DIED)
        done = kept.done(self.client, self.keys, job.id)
        back = kept.undoing(self.client, self.keys, job.id)
        other = kept.get(self.client, self.keys, back) if back else None
        broken = bool(back) and (other is None or bool(other.broken) or self._lost(other))
        return Seen(job, done, bool(back) and not broken, back if broken else "")

    def _lost(self, job: Job) -> bool:
        return not job.ended_at and job.id not in self._running and job.moved_at < self.now() - STILL_MS

    def _run(self, job: Job, steps: Iterator[Step]) -> None:
        broken = ""
        try:
            for step in steps:
                job = self._note(job, step)
        except Exception as error:  # noqa: BLE001  # whoever looks on is told; nobody else is there to hear
            _log.exception("a job ended early", what=job.what)
            broken = f"it ended early: {type(error).__name__}; what is left waits as before"
        now = self.now()
        try:
            kept.keep(
                self.client,
                self.keys,
                msgspec.structs.replace(job, moved_at=now, ended_at=now, broken=broken),
            )
        except redis.RedisError:
            _log.exception("how a job ended could not be kept", what=job.what)
        self._running.discard(job.id)

    def _note(self, job: Job, step: Step) -> Job:
        now = self.now()
        if step.error:
            failed = [*job.failed, Failed(step.id, step.error)] if len(job.failed) < FAILURES else job.failed
            job = msgspec.structs.replace(job, failed=failed, failures=job.failures + 1)
        elif not step.noted:
            kept.did(self.client, self.keys, job.id, step.id)
        if now - job.moved_at < MOVES_MS:
            return job
        job = msgspec.structs.replace(job, moved_at=now)
        kept.keep(self.client, self.keys, job)
        return job
