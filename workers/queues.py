"""RQ's queues: one for each kind of work, each served by processes of its own. Payloads are ids, never data.

A worker must listen to one queue only: popping from several leaves no safety copy behind when it is killed
(https://github.com/rq/rq/issues/1716).
"""

from collections.abc import Iterable
from typing import Final
from uuid import uuid4

from redis import Redis
from redis.client import Pipeline
from rq import Queue
from rq.serializers import JSONSerializer

from routing.effect import AnyEffect, Deliver

DISPATCH: Final = "tocsin-dispatch"
URGENT: Final = "tocsin-urgent"
DELIVER: Final = "tocsin-deliver"
REMEDIATE: Final = "tocsin-remediate"
EVIDENCE: Final = "tocsin-evidence"
QUEUES: Final = (DISPATCH, URGENT, DELIVER, REMEDIATE, EVIDENCE)

DISPATCH_BUDGET_S: Final = 60
"""How long one dispatch job stays resident before it makes way for the next one."""
DISPATCH_TIMEOUT_S: Final = DISPATCH_BUDGET_S + 30
DELIVER_TIMEOUT_S: Final = 60
STEP_MARGIN_S: Final = 30
"""A step's own timeout is enforced by its action; RQ's alarm is only the last word."""

FOREVER: Final = -1


def queue_of(effect: AnyEffect) -> str:
    """An urgent page to a telephone has a queue that nothing else can hold up: not a chat that does not answer."""
    if isinstance(effect, Deliver):
        return URGENT if effect.urgent and effect.address.startswith("+") else DELIVER
    return EVIDENCE if effect.evidence else REMEDIATE


class Queues:
    """The queues on one server. RQ holds nothing that is not in the outbox too: it may lose any job."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._queues = {name: Queue(name, connection=client, serializer=JSONSerializer) for name in QUEUES}

    def enqueue(self, pipe: Pipeline, effects: Iterable[AnyEffect]) -> None:
        """Add one job per effect to the transaction `pipe`; it is sent with the transaction."""
        by_queue: dict[str, list[object]] = {}
        for effect in effects:
            by_queue.setdefault(queue_of(effect), []).append(_job(effect))
        for name, jobs in by_queue.items():
            self._queues[name].enqueue_many(jobs, pipeline=pipe)

    def lengths(self) -> dict[str, int]:
        """Jobs that no worker has taken yet, by the queue's last word: {"urgent": 3, ...}."""
        return {
            name.removeprefix("tocsin-"): int(self._client.llen(queue.key))
            for name, queue in self._queues.items()
        }

    def keep_spare(self, partition: int = 0) -> bool:
        """Queue a dispatch job unless one is waiting. True when it was needed; one too many is harmless."""
        if self._client.llen(self._queues[DISPATCH].key):
            return False
        spare = Queue.prepare_data(
            "workers.tasks.dispatch",
            (partition,),
            timeout=DISPATCH_TIMEOUT_S,
            result_ttl=0,
            failure_ttl=FOREVER,
            description=f"dispatch partition {partition}",
            job_id=uuid4().hex,
        )
        self._queues[DISPATCH].enqueue_many([spare])
        return True


def _job(effect: AnyEffect) -> object:
    task = "deliver" if isinstance(effect, Deliver) else "remediate"
    return Queue.prepare_data(
        f"workers.tasks.{task}",
        (effect.id, effect.attempt),
        timeout=_timeout_s(effect),
        result_ttl=0,
        # A failed job must stay until the reaper has made a dead letter of it. Any other value leaves its
        # result stream behind without an expiry of its own.
        failure_ttl=FOREVER,
        description=f"{effect.id} attempt {effect.attempt}",
        # Random: RQ takes a known id as a duplicate for ever, also when it lost the job itself.
        job_id=uuid4().hex,
        # Before the chatter, where it shares a queue with it.
        at_front=isinstance(effect, Deliver) and effect.urgent,
    )


def _timeout_s(effect: AnyEffect) -> int:
    if isinstance(effect, Deliver):
        return DELIVER_TIMEOUT_S
    return -(-effect.timeout_ms // 1000) + STEP_MARGIN_S
