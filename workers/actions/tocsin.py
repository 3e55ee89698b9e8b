"""Tocsin itself: what waits to be decided and to be carried out. Only that is looked at here; nothing is asked outside.

Settings: none. What the watchdog does about work that stands still does not depend on this.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict
from redis.exceptions import RedisError

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Action, Step

TITLE = "Tocsin itself"
SETTINGS = ()


class Backlog(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def backlog(step: Step, _: Backlog) -> dict[str, Any]:
    """{"undecided": {"control", "urgent", "bulk", "all"}, "oldest_s", "outbox", "timers_overdue", "dead_letters",
    "jobs": {"dispatch", "urgent", "deliver", "remediate"}}; a lane is counted up to 1,000.
    """
    try:
        return dict(step.backlog())
    except RedisError as error:
        raise ActionError(f"Redis: {error}", outcome=Outcome.TEMPORARY) from error


def _plan(_: Step, __: Backlog) -> dict[str, Any]:
    return {"would": {"read": "our own log, outbox and queues"}}


ACTIONS = {
    "backlog": Action(params=Backlog, mutates=False, run=backlog, plan=_plan),
}
