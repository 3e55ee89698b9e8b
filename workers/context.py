"""What a worker process has at hand: its connection, its settings, and the policy in force."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import redis

from ledger import policies
from ledger.keys import Keys
from routing.policy import Policy
from workers.settings import WorkerSettings


class NoPolicy(LookupError):
    """Nothing was published yet."""


@dataclass
class Context:
    """One per process. `environ` holds only the variables that this process was given."""

    client: redis.Redis
    keys: Keys
    settings: WorkerSettings
    environ: Mapping[str, str]
    worker: str
    stopping: Callable[[], bool] = lambda: False
    resident: dict[str, Any] = field(default_factory=dict)
    """What stays between the jobs of this process: the dispatcher with its lease and state."""
    _compiled: Policy | None = None

    def policy(self) -> Policy:
        """The policy in force now, compiled again only when it changed. Raises NoPolicy."""
        version = policies.current_version(self.client, self.keys)
        if not version:
            raise NoPolicy("no policy was published yet; start `tocsin up` with a valid configuration")
        if self._compiled is None or self._compiled.version != version:
            self._compiled = policies.by_version(self.client, self.keys, version)
        return self._compiled


_current: Context | None = None


def install(context: Context) -> None:
    """Make it the one that this process's jobs use."""
    global _current  # noqa: PLW0603  # RQ calls tasks by name; there is no other way to hand them anything
    _current = context


def current() -> Context:
    if _current is None:
        raise RuntimeError("no context installed: jobs run in a process that `tocsin worker` started")
    return _current
