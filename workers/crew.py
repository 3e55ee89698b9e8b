"""`tocsin worker`: worker processes of one machine, one queue each, supervised, with the upkeep their queues need."""

import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Final

import redis
import structlog
from redis.exceptions import RedisError

from ledger import policies
from ledger.connection import connect
from ledger.keys import Keys
from routing.policy import Policy
from workers.children import Say, Spec
from workers.environment import Role
from workers.eviction import evict
from workers.family import WORKER, Family
from workers.policy_files import PolicyFiles
from workers.queues import DELIVER, DISPATCH, REMEDIATE, URGENT
from workers.settings import WorkerSettings

TURN_S: Final = 0.1
LOOK_S: Final = 2.0
CHILDREN_S: Final = 4.0

ROLES: Final[Mapping[str, Role]] = {
    DISPATCH: Role.DISPATCH,
    URGENT: Role.DELIVER,
    DELIVER: Role.DELIVER,
    REMEDIATE: Role.REMEDIATE,
}

log = structlog.get_logger(__name__)


def specs_of(queues: Sequence[str], processes: int) -> list[Spec]:
    """`processes` for each queue, and one process of upkeep: without it nobody would keep dispatch going."""
    workers = [
        Spec(_name(queue, number, processes), ROLES[queue], WORKER, (queue,), f"serves {queue}")
        for queue in dict.fromkeys(queues)
        for number in range(1, processes + 1)
    ]
    return [*workers, Spec("upkeep", Role.UPKEEP, "workers.upkeep:main", (), "keeps the queues clean")]


def _name(queue: str, number: int, processes: int) -> str:
    short = queue.removeprefix("tocsin-")
    return short if processes == 1 else f"{short}-{number}"


class Crew:
    """Runs until SIGTERM or SIGINT. With `publish` this machine's configuration folder is put into force."""

    def __init__(
        self, settings: WorkerSettings, environ: Mapping[str, str], say: Say, *, publish: bool = False
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._say = say
        self._publish = publish
        self._client: redis.Redis = connect(settings.ledger)
        self._keys = Keys()
        self._files: PolicyFiles | None = None
        self._stopping = False
        self._looked_at = float("-inf")

    def run(self, specs: Sequence[Spec]) -> None:
        """Raises ConfigError when the folder to publish is bad and nothing was ever in force."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._ask_to_stop)
        policy = self._first_policy()
        if policy is None:
            return
        family = Family(
            self._environ, self._say, lambda spec, pid: evict(self._client, self._keys, spec, pid), specs
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
                policy = self._settle() if self._publish else policies.current(self._client, self._keys)
                if policy is not None:
                    return policy
                why = "no policy is in force yet: waiting for `tocsin up`, or `tocsin worker --publish`"
            except RedisError as error:
                why = f"Redis does not answer, waiting: {error}"
            if why != told:
                self._say("tocsin", why)
                told = why
            time.sleep(TURN_S)
        return None

    def _settle(self) -> Policy:
        if self._files is None:
            folder = self._settings.ledger.config_dir
            self._files = PolicyFiles(
                self._client, self._keys, folder, self._environ, lambda line: self._say("tocsin", line)
            )
        return self._files.settle()

    def _newer_than(self, policy: Policy) -> Policy | None:
        """Another policy may give the children other variables."""
        if self._files is not None:
            return self._files.look()
        if time.monotonic() - self._looked_at < LOOK_S:
            return None
        self._looked_at = time.monotonic()
        with suppress(RedisError, KeyError):
            if policies.current_version(self._client, self._keys) != policy.version:
                return policies.current(self._client, self._keys)
        return None

    def _ask_to_stop(self, _signum: int, _frame: FrameType | None) -> None:
        self._stopping = True
