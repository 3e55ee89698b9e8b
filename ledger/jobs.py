"""Jobs: long work of an operator, as far as it has come; kept for a day, so that it can be looked at and undone.

Whoever carries it out writes down each piece as it is done: when they die, it is known what was done and what was not.
"""

from collections.abc import Iterator, Sequence

import redis

from ledger import wire
from ledger.keys import Keys
from routing.instant import DAY
from routing.record import Record, decode, encode

KEPT_MS = DAY
LISTED = 50
_AT_ONCE = 500


class Failed(Record, frozen=True):
    """One of many that was left as it was, and why."""

    id: str
    error: str


class Job(Record, frozen=True, kw_only=True, omit_defaults=True):
    """`total` as far as it was known at the beginning. `moved_at`: when it was last seen to go on (ms). `failed` are
    the first of `failures`. `ended_at` 0 while it runs.
    """

    id: str
    what: str
    by: str
    total: int
    began_at: int
    moved_at: int = 0
    failed: list[Failed] = []
    failures: int = 0
    ended_at: int = 0
    broken: str = ""


def keep(client: redis.Redis, keys: Keys, job: Job) -> None:
    """As it is now."""
    pipe = client.pipeline(transaction=True)
    pipe.set(keys.job(job.id), encode(job), px=KEPT_MS)
    pipe.zadd(keys.jobs, {job.id: job.began_at})
    pipe.zremrangebyrank(keys.jobs, 0, -LISTED - 1)
    pipe.pexpire(keys.jobs, KEPT_MS)
    pipe.execute()


def did(client: redis.Redis, keys: Keys, job_id: str, name: str) -> None:
    """One piece is done. What has a way back is noted by what does it, at the same instant: see `ledger.dead.drop`."""
    pipe = client.pipeline(transaction=False)
    pipe.rpush(keys.job_done(job_id), name)
    pipe.pexpire(keys.job_done(job_id), KEPT_MS)
    pipe.execute()


def get(client: redis.Redis, keys: Keys, job_id: str) -> Job | None:
    raw = client.get(keys.job(job_id))
    return decode(Job, raw) if isinstance(raw, bytes) else None


def done(client: redis.Redis, keys: Keys, job_id: str) -> int:
    """How many pieces."""
    return int(wire.call(client, "LLEN", keys.job_done(job_id)))


def pieces(client: redis.Redis, keys: Keys, job_id: str) -> Iterator[str]:
    """Those that are done, in their order."""
    for first in range(0, done(client, keys, job_id), _AT_ONCE):
        page = wire.call(client, "LRANGE", keys.job_done(job_id), first, first + _AT_ONCE - 1)
        yield from map(wire.text, page)


def latest(client: redis.Redis, keys: Keys, most: int) -> Sequence[Job]:
    """Those of the last day, the newest first."""
    found = wire.call(client, "ZREVRANGE", keys.jobs, 0, most - 1)
    raws = wire.call(client, "MGET", *(keys.job(wire.text(name)) for name in found)) if found else ()
    return [decode(Job, raw) for raw in raws if raw is not None]


def undo(client: redis.Redis, keys: Keys, job_id: str, by: str, instead_of: str = "") -> bool:
    """Whether it is the job `by` that takes it back; nobody else will, unless in place of this one, which died."""
    key = keys.job_undone(job_id)
    if instead_of and undoing(client, keys, job_id) == instead_of:
        client.delete(key)  # two who do so at once restore the same twice, which is once
    return bool(client.set(key, by, nx=True, px=KEPT_MS))


def undoing(client: redis.Redis, keys: Keys, job_id: str) -> str:
    """The job that takes it back, or has; "" while there is none."""
    found = client.get(keys.job_undone(job_id))
    return wire.text(found) if isinstance(found, bytes) else ""
