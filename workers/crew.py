"""`tocsin worker` with several processes: one queue each, supervised, on a machine that has nothing else."""

import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Final

import redis
from redis.exceptions import RedisError

from ledger import policies
from ledger.connection import connect
from ledger.keys import Keys
from routing.policy import Policy
from workers.children import Spec
from workers.environment import Role
from workers.eviction import evict
from workers.family import WORKER, Family, fork_server
from workers.forking import ForkServer
from workers.printing import say
from workers.queues import DELIVER, DISPATCH, EVIDENCE, REMEDIATE, URGENT
from workers.settings import WorkerSettings

TURN_S: Final = 0.1
LOOK_S: Final = 2.0
CHILDREN_S: Final = 4.0

_ROLES: Final[Mapping[str, Role]] = {
    DISPATCH: Role.DISPATCH,
    URGENT: Role.DELIVER,
    DELIVER: Role.DELIVER,
    REMEDIATE: Role.REMEDIATE,
    EVIDENCE: Role.REMEDIATE,
}


def specs_of(queues: Sequence[str], processes: int) -> list[Spec]:
    """`processes` workers for each queue."""
    return [
        Spec(_name(queue, number, processes), _ROLES[queue], WORKER, (queue,), f"serves {queue}")
        for queue in dict.fromkeys(queues)
        for number in range(1, processes + 1)
    ]


def _name(queue: str, number: int, processes: int) -> str:
    short = queue.removeprefix("tocsin-")
    return short if processes == 1 else f"{short}-{number}"


class Crew:
    """Each of them gets only its own secrets of `environ`, by the policy in force."""

    def __init__(self, settings: WorkerSettings, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._folder = settings.ledger.config_dir
        self._client: redis.Redis = connect(settings.ledger)
        self._keys = Keys()
        self._stopping = False
        self._looked_at = float("-inf")

    def run(self, specs: Sequence[Spec]) -> None:
        """Until SIGTERM or SIGINT."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._ask_to_stop)
        with fork_server(self._environ, self._folder) as forking:
            policy = self._first_policy()
            if policy is not None:
                self._supervise(forking, specs, policy)

    def _supervise(self, forking: ForkServer, specs: Sequence[Spec], policy: Policy) -> None:
        family = Family(
            forking, self._environ, say, lambda spec, pid: evict(self._client, self._keys, spec, pid), specs
        )
        try:
            while not self._stopping:
                family.turn(policy, TURN_S)
                policy = self._newer_than(policy) or policy
        finally:
            family.stop(CHILDREN_S)

    def _first_policy(self) -> Policy | None:
        """Waits until Redis answers and there is one; None when asked to stop meanwhile."""
        told = ""
        while not self._stopping:
            try:
                if policy := policies.current(self._client, self._keys):
                    return policy
                why = "no policy is in force yet: waiting for `tocsin up` or `tocsin publish`"
            except RedisError as error:
                why = f"Redis does not answer, waiting: {error}"
            if why != told:
                say("tocsin", why)
                told = why
            time.sleep(TURN_S)
        return None

    def _newer_than(self, policy: Policy) -> Policy | None:
        """Another policy may give the children other variables."""
        if time.monotonic() - self._looked_at < LOOK_S:
            return None
        self._looked_at = time.monotonic()
        with suppress(RedisError, KeyError):
            if policies.current_version(self._client, self._keys) != policy.version:
                return policies.current(self._client, self._keys)
        return None

    def _ask_to_stop(self, _signum: int, _frame: FrameType | None) -> None:
        self._stopping = True
