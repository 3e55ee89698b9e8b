"""PostgreSQL: who is connected and what it costs.

Settings: url (postgresql://..., of the primary itself or of a pooler). Without a url every action is only
simulated. The role needs pg_monitor.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from routing.ports import Action, Step
from workers.postgres import sessions

TITLE = "PostgreSQL"
SETTINGS = ("url",)

_WEEK_S = 7 * 86_400


class Connections(BaseModel):
    """What counts as old: the documented hour for idle sessions, five minutes for active ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idle_older_than_s: int = Field(default=3_600, ge=1, le=_WEEK_S)
    active_longer_than_s: int = Field(default=300, ge=1, le=_WEEK_S)
    top: int = Field(default=10, ge=1, le=100)


def connections(step: Step, params: Connections) -> dict[str, Any]:
    """How full the server is: {"total", "max", "percent", "by_state", "idle_old", "active_long", "groups", ...}."""
    return sessions.connections(step, params.idle_older_than_s, params.active_longer_than_s, params.top)


def _plan(_: Step, params: BaseModel) -> dict[str, Any]:
    return {"would": {"ask": "PostgreSQL", "params": params.model_dump()}}


ACTIONS = {
    "connections": Action(params=Connections, mutates=False, run=connections, plan=_plan),
}
