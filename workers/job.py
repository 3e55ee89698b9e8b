"""The job class of our workers: it runs four functions and no other.

RQ imports whatever dotted path a job names, so who can write to Redis could run anything as the worker; a
JSON serializer alone does not help, `os.system` is as good a name as any. Callbacks and webhooks are names
of the same kind.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from rq.job import Job

from routing.errors import TocsinError

ALLOWED: Final = frozenset({"workers.tasks.dispatch", "workers.tasks.deliver", "workers.tasks.remediate"})


class RefusedJob(TocsinError):
    """A job named a function that is not one of ours."""


class AllowedJob(Job):  # type: ignore[misc]  # rq ships no types
    """A job of ours. What it may call is fixed here; the rest of what RQ offers to call is not followed."""

    @property
    def func(self) -> Callable[..., Any]:
        """Raises RefusedJob."""
        name = self.func_name
        if name not in ALLOWED or self.instance is not None:
            raise RefusedJob(
                f"job {self.id} on {self.origin} names {name!r}; only {', '.join(sorted(ALLOWED))} may run. "
                "Somebody else writes to this Redis: check its users and their rights"
            )
        module, _, function = name.rpartition(".")
        found: Callable[..., Any] = getattr(import_module(module), function)
        return found

    def restore(self, raw_data: Any) -> None:
        super().restore(raw_data)
        self.webhooks: list[object] = []

    @property
    def success_callback(self) -> None:
        return None

    @property
    def failure_callback(self) -> None:
        return None

    @property
    def stopped_callback(self) -> None:
        return None
