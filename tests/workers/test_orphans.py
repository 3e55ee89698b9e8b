"""What RQ lost for good is removed; what is anywhere stays."""

import time

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from workers.orphans import Orphans
from workers.queues import DELIVER


def lost(client: Redis, queue: str = DELIVER) -> str:
    """A job whose id was popped from its list by somebody who died."""
    job = Queue(queue, connection=client, serializer=JSONSerializer).enqueue("workers.tasks.deliver", "d", 1)
    client.lrem(f"rq:queue:{queue}", 1, job.id)
    return str(job.key)


def test_a_job_that_is_nowhere_is_removed(redis: Redis) -> None:
    key = lost(redis)
    assert Orphans(redis, old_s=0).round() == 1
    assert not redis.exists(key)


def test_it_is_given_time_to_turn_up(redis: Redis) -> None:
    key = lost(redis)
    orphans = Orphans(redis, old_s=60)
    assert orphans.round() == 0
    assert orphans.round() == 0
    assert redis.exists(key)


def test_jobs_in_a_queue_popped_running_or_failed_stay(redis: Redis) -> None:
    queued = Queue(DELIVER, connection=redis, serializer=JSONSerializer).enqueue(
        "workers.tasks.deliver", "d", 1
    )
    homes = {"popped": "rq:queue:tocsin-deliver:intermediate", "failed": "rq:failed:tocsin-deliver"}
    popped, running, failed = (lost(redis).removeprefix("rq:job:") for _ in range(3))
    redis.rpush(homes["popped"], popped)
    redis.zadd("rq:wip:tocsin-deliver", {f"{running}:0123": 1})
    redis.zadd(homes["failed"], {failed: 1})
    assert Orphans(redis, old_s=0).round() == 0
    assert all(redis.exists(f"rq:job:{job}") for job in (queued.id, popped, running, failed))


def test_jobs_of_somebody_else_on_the_same_server_stay(redis: Redis) -> None:
    key = lost(redis, "theirs")
    assert Orphans(redis, old_s=0).round() == 0
    assert redis.exists(key)


def test_a_hundred_thousand_keys_are_no_burden(redis: Redis) -> None:
    pipe = redis.pipeline(transaction=False)
    for number in range(100_000):
        pipe.set(f"other:{number}", b"")
        if number % 10_000 == 0:
            pipe.execute()
    pipe.execute()
    key = lost(redis)
    orphans, slowest = Orphans(redis, old_s=0), 0.0
    for _ in range(100):
        began = time.monotonic()
        orphans.round()
        slowest = max(slowest, time.monotonic() - began)
    assert not redis.exists(key)
    assert slowest < 0.1
