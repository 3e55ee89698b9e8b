"""Clears what RQ leaves behind. The outbox and the fold's timers bring back the work; here only rubbish goes.

https://github.com/rq/rq/blob/master/rq/maintenance.py does the first part for workers that need it.
"""

import time
from datetime import datetime
from typing import Final

import redis
import structlog
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job
from rq.serializers import JSONSerializer

from ledger import dead, wire
from ledger.clock import now_ms
from ledger.dead_letter import Kind, given_up
from ledger.keys import Keys
from ledger.wire import text
from workers.queues import DISPATCH, QUEUES, REMEDIATE

EVERY_S: Final = 5.0
OLD_S: Final = 60.0
_FAILED_AT_ONCE: Final = 100

log = structlog.get_logger(__name__)


class Reaper:
    """Kept by the upkeep process; it remembers since when it has seen each leftover."""

    def __init__(self, client: redis.Redis, keys: Keys, old_s: float = OLD_S) -> None:
        self._client = client
        self._keys = keys
        self._old_s = old_s
        self._seen: dict[tuple[str, str], float] = {}

    def round(self) -> int:
        """How many leftovers were removed. Raises redis.RedisError."""
        stuck = {(name, job) for name in QUEUES for job in self._popped(name) + self._started(name)}
        now = time.monotonic()
        self._seen = {each: self._seen.get(each, now) for each in stuck}
        old = [each for each, since in self._seen.items() if now - since >= self._old_s]
        for name, job in old:
            if self._abandoned(job):
                self._remove(name, job)
        return len(old) + sum(self._bury_failed(name) for name in QUEUES)

    def _popped(self, name: str) -> list[str]:
        """Taken from the queue, and never begun: its worker died in between."""
        return [text(job) for job in wire.call(self._client, "LRANGE", self._intermediate(name), 0, -1)]

    def _started(self, name: str) -> list[str]:
        return [text(each) for each in wire.call(self._client, "ZRANGE", f"rq:wip:{name}", 0, -1)]

    def _intermediate(self, name: str) -> str:
        return str(IntermediateQueue.get_intermediate_queue_key(self._queue(name).key))

    def _queue(self, name: str) -> Queue:
        return Queue(name, connection=self._client, serializer=JSONSerializer)

    def _abandoned(self, entry: str) -> bool:
        """Begun by a worker whose registration has run out, or never begun."""
        worker = self._client.hget(f"rq:job:{entry.partition(':')[0]}", "worker_name")
        return not worker or not self._client.exists(f"rq:worker:{text(worker)}")

    def _remove(self, name: str, entry: str) -> None:
        job, _, execution = entry.partition(":")
        pipe = self._client.pipeline(transaction=True)
        pipe.lrem(self._intermediate(name), 0, job)
        pipe.zrem(f"rq:wip:{name}", entry)
        pipe.delete(f"rq:job:{job}", f"rq:executions:{job}", f"rq:execution:{job}:{execution}")
        pipe.execute()
        log.info("leftover of a dead worker removed", queue=name, job=job)

    def _bury_failed(self, name: str) -> int:
        """A job that crashed is a fault of ours: somebody must look at it."""
        registry = self._queue(name).failed_job_registry
        ids = registry.get_job_ids(0, _FAILED_AT_ONCE - 1, cleanup=False)
        for job_id in ids:
            try:
                job = Job.fetch(job_id, connection=self._client, serializer=JSONSerializer)
            except NoSuchJobError:
                registry.remove(job_id)
                continue
            self._bury(name, job)
            job.delete()
        return len(ids)

    def _bury(self, name: str, job: Job) -> None:
        subject = job.description or job.id
        effect = subject.partition(" ")[0]
        incident = "-".join(effect.split("/")[0].split("-")[:2]) if effect.startswith("INC-") else ""
        kind = {DISPATCH: Kind.UNDECIDABLE, REMEDIATE: Kind.UNREMEDIATED}.get(name, Kind.UNDELIVERED)
        dead.bury_now(
            self._client, self._keys, given_up(kind, subject, incident, _traceback(job), b"", now_ms())
        )
        log.error("crashed job became a dead letter", queue=name, job=subject)


def _traceback(job: Job) -> str:
    result = job.latest_result()
    ended = job.ended_at
    when = f" at {ended.isoformat()}" if isinstance(ended, datetime) else ""
    return str((result and result.exc_string) or f"the job crashed{when} and left no traceback")
