"""Jobs: what takes longer than a request, done in a thread beside them; whoever began it looks on.

A job that dies with its process has done a part, and the rest waits as it did before: nothing is lost by it.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import structlog

MOST = 50
"""Jobs remembered; older ones are forgotten, and with them the way to undo them from here."""
FAILURES = 50
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One of many: which, and why it failed, "" when it did not."""

    id: str
    error: str = ""


@dataclass(slots=True)
class Job:
    """`total` as far as it was known at the beginning; `done` are ids that went well. `ended_at` 0 while it runs."""

    id: str
    what: str
    by: str
    total: int
    began_at: int
    done: list[str] = field(default_factory=list)
    failed: list[Step] = field(default_factory=list)
    failures: int = 0
    ended_at: int = 0
    broken: str = ""
    undone: bool = False

    @property
    def handled(self) -> int:
        return len(self.done) + self.failures


@dataclass(slots=True)
class Jobs:
    """`now` gives ms since the epoch."""

    now: Callable[[], int]
    _known: OrderedDict[str, Job] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, what: str, by: str, total: int, steps: Iterator[Step]) -> Job:
        """Carry the steps out, one after the other, in a thread of its own."""
        job = Job(secrets.token_urlsafe(9), what, by, total, self.now())
        with self._lock:
            self._known[job.id] = job
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        threading.Thread(target=self._run, args=(job, steps), name=f"job {job.id}", daemon=True).start()
        return job

    def get(self, job_id: str) -> Job | None:
        return self._known.get(job_id)

    def _run(self, job: Job, steps: Iterator[Step]) -> None:
        try:
            for step in steps:
                self._note(job, step)
        except Exception as error:  # noqa: BLE001  # whoever looks on is told; nobody else is there to hear
            _log.exception("a job ended early", what=job.what)
            job.broken = f"it ended early: {type(error).__name__}; what is left waits as before"
        job.ended_at = self.now()

    @staticmethod
    def _note(job: Job, step: Step) -> None:
        if not step.error:
            job.done.append(step.id)
            return
        job.failures += 1
        if len(job.failed) < FAILURES:
            job.failed.append(step)
