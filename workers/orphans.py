"""Job hashes that are in no list and no registry: RQ lost them, and would keep them for ever.

Looked for in small steps, so that a server with 100,000 keys does not notice.
"""

import time
from typing import Final

import redis
import structlog
from rq.intermediate_queue import IntermediateQueue

from ledger import wire
from workers.queues import QUEUES

STEP: Final = 2_000
"""Keys of the server looked at in one round."""
DEEP: Final = 20_000
"""A backlog beyond this is no time to list it: rubbish can wait."""
OLD_S: Final = 10.0

_PREFIX: Final = "rq:job:"

log = structlog.get_logger(__name__)


class Orphans:
    """Kept by the upkeep process: it remembers since when it has seen each of them homeless."""

    def __init__(self, client: redis.Redis, old_s: float = OLD_S) -> None:
        self._client = client
        self._old_s = old_s
        self._position = 0
        self._seen: dict[str, float] = {}

    def round(self) -> int:
        """How many were removed. Raises redis.RedisError."""
        jobs = self._next() | self._seen.keys()
        if not jobs or self._backlog() > DEEP:
            return 0
        now = time.monotonic()
        lost = {job for job in jobs - self._homes() if self._ours(job)}
        self._seen = {job: self._seen.get(job, now) for job in lost}
        old = [job for job, since in self._seen.items() if now - since >= self._old_s]
        for job in old:
            self._client.delete(_PREFIX + job)
            del self._seen[job]
            log.info("job that was in no queue removed", job=job)
        return len(old)

    def _next(self) -> set[str]:
        """The jobs among the next few keys; after the last key it begins again."""
        command = ("SCAN", self._position, "MATCH", f"{_PREFIX}*", "COUNT", STEP, "TYPE", "hash")
        position, found = wire.call(self._client, *command)
        self._position = int(position)
        return {wire.text(key).removeprefix(_PREFIX) for key in found}

    def _backlog(self) -> int:
        return sum(int(wire.call(self._client, "LLEN", f"rq:queue:{name}")) for name in QUEUES)

    def _homes(self) -> set[str]:
        """Every job of ours that is somewhere, all at one instant."""
        pipe = self._client.pipeline(transaction=True)
        for name in QUEUES:
            queue = f"rq:queue:{name}"
            pipe.lrange(queue, 0, -1)
            pipe.lrange(IntermediateQueue.get_intermediate_queue_key(queue), 0, -1)
            pipe.zrange(f"rq:failed:{name}", 0, -1)
            pipe.zrange(f"rq:wip:{name}", 0, -1)
        return {wire.text(each).partition(":")[0] for found in pipe.execute() for each in found}

    def _ours(self, job: str) -> bool:
        """Others may use RQ on the same server. A hash without data is of no use to anyone."""
        origin, data = wire.call(self._client, "HMGET", _PREFIX + job, "origin", "data")
        if data is None:
            return bool(self._client.exists(_PREFIX + job))
        return wire.text(origin or b"") in QUEUES
