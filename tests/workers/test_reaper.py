"""What RQ leaves behind is cleared; a crashed job is shown to somebody."""

from redis import Redis

from ledger import dead
from ledger.keys import Keys
from workers.queues import DISPATCH, Queues
from workers.reaper import Reaper
from workers.worker import OneQueueWorker


def test_a_job_taken_and_never_begun_is_removed(redis: Redis, keys: Keys) -> None:
    Queues(redis).keep_spare()
    assert OneQueueWorker(DISPATCH, redis, "w1")._pop() is not None
    reaper = Reaper(redis, keys, old_s=0)
    assert reaper.round() == 1
    assert [key for key in redis.keys("rq:*") if b"job" in key or b"intermediate" in key] == []


def test_a_fresh_one_is_left_alone(redis: Redis, keys: Keys) -> None:
    Queues(redis).keep_spare()
    worker = OneQueueWorker(DISPATCH, redis, "w1")
    assert worker._pop() is not None
    assert Reaper(redis, keys).round() == 0


def test_a_crashed_job_becomes_a_dead_letter(redis: Redis, keys: Keys) -> None:
    Queues(redis).keep_spare()
    worker = OneQueueWorker(DISPATCH, redis, "w1")
    worker._turn()  # no context is installed here: the job crashes
    assert Reaper(redis, keys).round() == 1
    (letter,) = dead.listing(redis, keys).letters
    assert letter.subject == "dispatch partition 0"
    assert "no context installed" in letter.traceback
    assert Reaper(redis, keys).round() == 0
