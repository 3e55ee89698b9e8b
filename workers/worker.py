"""The worker: RQ's SimpleWorker for one queue, with the parts that lose jobs or time left out.

Left out on purpose: the scheduler (its child inherits our socket and swallows a job after we are killed), the
pub/sub thread (delays the end by a second), maintenance (the reaper's), `rq suspend` (nobody may suspend an
alarm), popping from several queues. What remains is four round trips a job instead of twenty.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import sentry_sdk
import structlog
from redis import Redis
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as Unanswered
from rq import SimpleWorker
from rq.exceptions import NoSuchJobError
from rq.executions import Execution
from rq.intermediate_queue import IntermediateQueue
from rq.job_lifecycle import format_exc_info
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.utils import as_text, now
from rq.worker import WorkerStatus

from workers.job import AllowedJob
from workers.queues import DELIVER_TIMEOUT_S

POP_S: Final = 0.5
"""A pop blocks this long. Short, so that a stop is a flag looked at between pops: raising out of a blocked
pop, as RQ does, loses the job whose reply is on its way (https://github.com/rq/rq/issues/2236)."""

ALIVE_S: Final = 5.0
WORKER_TTL_S: Final = 30
BACKOFF_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0)

log = structlog.get_logger(__name__)


class OneQueueWorker(SimpleWorker):  # type: ignore[misc]  # rq ships no types
    """Serves one queue until told to stop; outlives every outage of Redis."""

    def __init__(
        self, queue: str, client: Redis, name: str, on_alive: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(
            [queue],
            name=name,
            connection=client,
            job_class=AllowedJob,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL_S,
            prepare_for_work=False,
        )
        self.hostname = socket.gethostname()
        self.pid = os.getpid()
        self.queue: Any = self.queues[0]
        self._intermediate = IntermediateQueue.get_intermediate_queue_key(self.queue.key)
        self._on_alive = on_alive
        self._alive_at = float("-inf")
        self._failures = 0
        self.birth_date = now()

    @property
    def stopping(self) -> bool:
        return bool(self._stop_requested)

    def request_stop(self, _signum: int, _frame: FrameType | None) -> None:
        """Finish what is under way, then end. The supervisor kills what takes too long."""
        self._stop_requested = True

    def serve(self) -> None:
        """Work until SIGTERM or SIGINT."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self.request_stop)
        while not self.stopping:
            try:
                self._turn()
                self._failures = 0
            except (Unreachable, Unanswered) as error:
                self._wait(error)
        self._leave()

    def _turn(self) -> None:
        if time.monotonic() - self._alive_at > ALIVE_S:
            self._show_alive()
        popped = self._pop()
        if popped is not None:
            self.execute_job(popped, self.queue)

    def _pop(self) -> Any:
        """The next job, or None. It stays in the intermediate list until `_begin` has registered it."""
        job_id = self.connection.blmove(self.queue.key, self._intermediate, POP_S)
        if job_id is None:
            return None
        try:
            job = AllowedJob.fetch(as_text(job_id), connection=self.connection, serializer=JSONSerializer)
        except NoSuchJobError:
            self.connection.lrem(self._intermediate, 1, job_id)
            return None
        job.timeout = job.timeout or DELIVER_TIMEOUT_S
        return job

    def execute_job(self, job: Any, queue: Any) -> None:
        execution = self._begin(job)
        try:
            with self.death_penalty_class(job.timeout, JobTimeoutException, job_id=job.id):
                job.perform()
        except (Unreachable, Unanswered):
            # Not the job's fault, and nowhere to write it down. The fold's timers bring the work back.
            self.executions.pop(execution.id, None)
            raise
        except Exception:  # noqa: BLE001  # the job boundary: whatever it was, the worker goes on
            self._failed(job, queue, execution)
        else:
            self._finish(job, execution)

    def _begin(self, job: Any) -> Any:
        """Register, mark as started and take out of the intermediate list: one transaction, so no gap."""
        with self.connection.pipeline() as pipe:
            execution = Execution.create(
                job, self.get_heartbeat_ttl(job), pipeline=pipe, worker_name=self.name
            )
            job.prepare_for_execution(self.name, pipeline=pipe)
            self.set_state(WorkerStatus.BUSY, pipeline=pipe)
            pipe.lrem(self._intermediate, 1, job.id)
            pipe.execute()
        self.executions[execution.id] = execution
        return execution

    def _finish(self, job: Any, execution: Any) -> None:
        """The job is done and forgotten: our jobs keep no result and have no dependents."""
        with self.connection.pipeline() as pipe:
            self.cleanup_execution(job, pipeline=pipe, execution=execution)
            pipe.delete(job.key)
            self.increment_successful_job_count(pipeline=pipe)
            self.set_state(WorkerStatus.IDLE, pipeline=pipe)
            pipe.execute()

    def _failed(self, job: Any, queue: Any, execution: Any) -> None:
        """Leave it in RQ's failed registry with its traceback; the reaper makes a dead letter of it."""
        exc_info = sys.exc_info()
        sentry_sdk.capture_exception()
        job.ended_at = now()
        # No error: what is logged as one is reported too, and this is reported with its traceback.
        log.warning("job crashed", queue=queue.name, job=job.description, error=repr(exc_info[1]))
        self.handle_job_failure(
            job=job, queue=queue, exc_string=format_exc_info(exc_info), execution=execution
        )
        self.set_state(WorkerStatus.IDLE)

    def _show_alive(self) -> None:
        """RQ's own registration, renewed; also makes us known again to a Redis that lost it."""
        self.last_heartbeat = now()
        with self.connection.pipeline() as pipe:
            pipe.hset(self.key, mapping=self.serialize())
            pipe.expire(self.key, WORKER_TTL_S + 60)
            pipe.sadd(self.redis_workers_keys, self.key)
            pipe.sadd(f"rq:workers:{self.queue.name}", self.key)
            pipe.execute()
        self._on_alive()
        self._alive_at = time.monotonic()

    def _wait(self, error: Exception) -> None:
        pause = BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
        if not self._failures:
            log.warning("Redis does not answer, trying again until it does", error=str(error))
        self._failures += 1
        self._alive_at = float("-inf")
        time.sleep(pause)

    def _leave(self) -> None:
        try:
            self.register_death()
        except (Unreachable, Unanswered):
            log.info("Redis does not answer; its record of this worker expires by itself")

    def _set_connection(self, connection: Redis) -> Redis:
        """RQ would raise the socket timeout to minutes; ours is the one `ledger.connection` chose."""
        return connection
