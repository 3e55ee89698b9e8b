"""Queues, jobs and worker processes on a real server."""

import os
import signal
import time
import zlib
from pathlib import Path

import embedded
import msgspec
import pytest
from forked import process
from redis import ConnectionError, Redis  # noqa: A004  # it is this one that is meant
from rq import Queue
from rq.job import Job
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer
from working import until

from ledger import wire
from ledger.connection import connect
from ledger.keys import Keys
from ledger.settings import LedgerSettings
from routing.delivery import Message, Purpose
from routing.effect import Deliver, Step
from routing.severity import Severity
from workers import context
from workers.job import ALLOWED, AllowedJob, RefusedJob
from workers.queues import DELIVER, DISPATCH, EVIDENCE, QUEUES, REMEDIATE, URGENT, Queues
from workers.settings import WorkerSettings
from workers.worker import OneQueueWorker

SERVING = "workers.serving:main"


def page(number: int = 1, *, urgent: bool = True) -> Deliver:
    return Deliver(
        id=f"INC-1-d{number}",
        attempt=1,
        incident="INC-1",
        contact="anna",
        channel="sms",
        address="+1",
        purpose=Purpose.PAGE,
        severity=Severity.SEV0,
        message=Message(title="t", body="b"),
        urgent=urgent,
    )


STEP = Step(
    id="INC-1-r1/health",
    attempt=2,
    incident="INC-1",
    run="INC-1-r1",
    step="health",
    action="http.check",
    params={},
    timeout_ms=1500,
)
AUDIT = msgspec.structs.replace(
    STEP, id="INC-1-r2/audit", attempt=1, run="INC-1-r2", step="audit", evidence=True
)


def jobs(client: Redis, queue: str) -> list[Job]:
    found = Queue(queue, connection=client, serializer=JSONSerializer).get_jobs()
    return list(found)


def crashed(client: Redis, queue: str) -> list[str]:
    """Tracebacks of the queue's failed jobs."""
    registry = FailedJobRegistry(queue, connection=client, serializer=JSONSerializer)
    fetched = Job.fetch_many(registry.get_job_ids(), connection=client, serializer=JSONSerializer)
    return [job.latest_result().exc_string for job in fetched]


def forge(client: Redis, queue: str, function: str, *arguments: object, **more: object) -> None:
    Queue(queue, connection=client, serializer=JSONSerializer).enqueue(function, *arguments, **more)


class Served:
    """A worker inside this process, one turn at a time."""

    def __init__(self, client: Redis, queue: str = DELIVER) -> None:
        self.worker = OneQueueWorker(queue, client, f"test-{os.getpid()}")

    def turn(self) -> None:
        self.worker._turn()


# ── queues ───────────────────────────────────────────────────────────────────────────────────────────


def test_effects_go_to_the_queue_of_their_kind_with_ids_alone(redis: Redis) -> None:
    pipe = redis.pipeline(transaction=True)
    Queues(redis).enqueue(pipe, [page(1), page(2, urgent=False), STEP, AUDIT])
    pipe.execute()
    found = {queue: [(job.func_name, job.args) for job in jobs(redis, queue)] for queue in QUEUES}
    assert found == {
        DISPATCH: [],
        URGENT: [("workers.tasks.deliver", ["INC-1-d1", 1])],
        DELIVER: [("workers.tasks.deliver", ["INC-1-d2", 1])],
        REMEDIATE: [("workers.tasks.remediate", ["INC-1-r1/health", 2])],
        EVIDENCE: [("workers.tasks.remediate", ["INC-1-r2/audit", 1])],
    }


def test_no_chat_that_hangs_holds_up_a_phone_and_its_pages_go_before_its_chatter(redis: Redis) -> None:
    chat = msgspec.structs.replace(page(3), channel="slack", address="U02ABCDEF")
    pipe = redis.pipeline(transaction=True)
    Queues(redis).enqueue(pipe, [page(2, urgent=False), page(1), chat])
    pipe.execute()
    assert [job.args for job in jobs(redis, URGENT)] == [["INC-1-d1", 1]]
    assert [job.args for job in jobs(redis, DELIVER)] == [["INC-1-d3", 1], ["INC-1-d2", 1]]


def test_jobs_are_queued_with_the_transaction_or_not_at_all(redis: Redis) -> None:
    pipe = redis.pipeline(transaction=True)
    Queues(redis).enqueue(pipe, [page()])
    assert jobs(redis, URGENT) == []
    pipe.reset()
    assert redis.keys("rq:job:*") == []


def test_a_failed_job_never_expires_and_a_finished_one_leaves_no_result(redis: Redis) -> None:
    pipe = redis.pipeline(transaction=True)
    Queues(redis).enqueue(pipe, [page(), STEP])
    pipe.execute()
    delivery, step = jobs(redis, URGENT)[0], jobs(redis, REMEDIATE)[0]
    assert (delivery.failure_ttl, delivery.result_ttl) == (-1, 0)
    assert (delivery.timeout, step.timeout) == (60, 32)


def test_one_effect_may_be_queued_again_and_again(redis: Redis) -> None:
    for _ in range(2):
        pipe = redis.pipeline(transaction=True)
        Queues(redis).enqueue(pipe, [page()])
        pipe.execute()
    assert len(jobs(redis, URGENT)) == 2


def test_one_spare_dispatch_job_is_kept_and_no_more(redis: Redis) -> None:
    queues = Queues(redis)
    assert [queues.keep_spare(), queues.keep_spare()] == [True, False]
    assert [(job.func_name, job.args) for job in jobs(redis, DISPATCH)] == [("workers.tasks.dispatch", [0])]


# ── the allow-list ───────────────────────────────────────────────────────────────────────────────────


def test_a_job_that_names_another_function_is_refused(redis: Redis, tmp_path: Path) -> None:
    made = tmp_path / "made"
    forge(redis, DELIVER, "os.system", f"touch {made}")
    Served(redis).turn()
    assert not made.exists()
    (traceback,) = crashed(redis, DELIVER)
    assert "RefusedJob" in traceback
    assert "'os.system'" in traceback


@pytest.mark.parametrize(
    "name", ["workers.tasks.import_module", "workers.tasks", "", "workers.tasks.deliver "]
)
def test_near_misses_are_refused_too(redis: Redis, name: str) -> None:
    job = AllowedJob.create("workers.tasks.deliver", connection=redis, serializer=JSONSerializer)
    job.func_name = name
    with pytest.raises(RefusedJob):
        job.func  # noqa: B018  # looking is enough


def test_a_method_of_an_instance_is_refused(redis: Redis) -> None:
    job = AllowedJob.create("workers.tasks.deliver", connection=redis, serializer=JSONSerializer)
    job.instance = "anything"
    with pytest.raises(RefusedJob):
        job.func  # noqa: B018


def test_callbacks_named_by_a_job_are_not_called(redis: Redis, tmp_path: Path) -> None:
    made = tmp_path / "made"
    forge(redis, DELIVER, "os.system", "true", description="x")
    (key,) = redis.keys("rq:job:*")
    redis.hset(
        key,
        mapping={
            "failure_callback_name": "os.mkdir",
            "success_callback_name": "os.mkdir",
            "stopped_callback_name": "os.mkdir",
            "webhooks": f'[{{"url": "http://127.0.0.1:9/{made}", "job_status": "failed"}}]',
        },
    )
    fetched = AllowedJob.fetch(wire.text(key).removeprefix("rq:job:"), redis, JSONSerializer)
    assert (fetched.failure_callback, fetched.success_callback, fetched.stopped_callback) == (
        None,
        None,
        None,
    )
    assert fetched.webhooks == []


def test_a_pickled_payload_is_never_unpickled(redis: Redis, tmp_path: Path) -> None:
    made = tmp_path / "made"
    forge(redis, DELIVER, "os.system", "true")
    (key,) = redis.keys("rq:job:*")
    evil = b"cos\nsystem\n(S'touch " + os.fsencode(made) + b"'\ntR."
    redis.hset(key, "data", zlib.compress(evil))
    Served(redis).turn()
    assert not made.exists()
    assert "DeserializationError" in crashed(redis, DELIVER)[0]


def test_every_allowed_function_exists(redis: Redis) -> None:
    for name in sorted(ALLOWED):
        assert callable(AllowedJob.create(name, connection=redis, serializer=JSONSerializer).func)


# ── the worker ───────────────────────────────────────────────────────────────────────────────────────


def test_a_done_job_leaves_nothing_behind(redis: Redis, redis_url: str) -> None:
    """A step that is not in the outbox any more: nothing to do, and then nothing left."""
    with process(SERVING, REMEDIATE, TOCSIN_REDIS_URL=redis_url):
        pipe = redis.pipeline()
        Queues(redis).enqueue(pipe, [STEP])
        pipe.execute()
        until(lambda: not redis.keys("rq:job:*"), 15, "the job to be gone")
        assert redis.keys("rq:queue:*") == []
        assert redis.keys("rq:wip:*") == []
        assert redis.keys("rq:failed:*") == []


def test_a_crashed_job_keeps_its_traceback_and_the_worker_goes_on(redis: Redis) -> None:
    served = Served(redis)
    forge(redis, DELIVER, "os.system", "true")
    forge(redis, DELIVER, "os.system", "true")
    served.turn()
    served.turn()
    assert len(crashed(redis, DELIVER)) == 2
    assert redis.zcard("rq:wip:tocsin-deliver") == 0


def test_a_job_that_vanished_from_under_its_id_is_passed_over(redis: Redis) -> None:
    redis.rpush("rq:queue:tocsin-deliver", "nobody")
    Served(redis).turn()
    assert redis.llen("rq:queue:tocsin-deliver:intermediate") == 0


def test_an_idle_worker_ends_when_asked(redis: Redis, redis_url: str) -> None:
    with process(SERVING, DELIVER, TOCSIN_REDIS_URL=redis_url) as child:
        until(lambda: redis.keys("rq:worker:deliver.*"), 15, "the worker to register")
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert child.wait(5) == 0
        assert time.monotonic() - began < 10
    assert redis.smembers("rq:workers") == set()


def test_a_worker_outlives_the_server_and_takes_up_work_again(tmp_path: Path) -> None:
    with (
        embedded.running_server(tmp_path) as server,
        process(SERVING, DELIVER, TOCSIN_REDIS_URL=server.url) as child,
    ):
        client = connect(LedgerSettings(redis_url=server.url))
        until(lambda: client.keys("rq:worker:deliver.*"), 15, "the worker to register")
        embedded.kill(server)
        time.sleep(0.5)  # some failed tries
        server.start()
        client = connect(LedgerSettings(redis_url=server.url))
        forge(client, DELIVER, "os.system", "true")
        until(lambda: crashed(client, DELIVER), 10, "the job to be taken up")
        assert child.poll() is None
        client.close()


def test_a_job_interrupted_by_an_outage_is_not_a_crash(redis: Redis, tmp_path: Path) -> None:
    """There is nothing to learn from it, and the fold's timers bring the work back."""
    away = connect(LedgerSettings(redis_url=f"unix://{tmp_path}/nobody.sock"))
    settings = WorkerSettings(ledger=LedgerSettings())
    context.install(context.Context(away, Keys(), settings, {}, "test"))
    forge(redis, REMEDIATE, "workers.tasks.remediate", "INC-1-r1/health", 1)
    with pytest.raises(ConnectionError):
        Served(redis, REMEDIATE).turn()
    assert crashed(redis, REMEDIATE) == []
