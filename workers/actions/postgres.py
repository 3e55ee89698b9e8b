"""PostgreSQL: who is connected, what queries cost, and what helps; a backup that is proven by restoring it.

Settings: `given.Settings` tells each. `url` leads to the server itself or to a pooler; dumps need the server
itself. Without a url every action is only simulated.
"""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from routing.ports import Action, Step
from workers.postgres import dumps, queries, sessions, signals, statements, tables
from workers.postgres.given import NAME, Settings

__all__ = ["ACTIONS", "SETTINGS", "TITLE", "Settings"]

TITLE = "PostgreSQL"
SETTINGS = tuple(Settings.model_fields)
SHARED = ("spared_roles", "spared_applications", "app_roles", "queries", "checks", "dump_schemas")

_WEEK_S = 7 * 86_400
_IDENTIFIER = r"^[^\x00]{1,63}$"


class Params(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Nothing(Params):
    """No parameters."""


class Connections(Params):
    """What counts as old: the documented hour for idle sessions, five minutes for active ones."""

    idle_older_than_s: int = Field(default=3_600, ge=1, le=_WEEK_S)
    active_longer_than_s: int = Field(default=300, ge=1, le=_WEEK_S)
    top: int = Field(default=10, ge=1, le=100)


class SlowQueries(Params):
    """`over_s` 0: since the counters began; else what happens within so many seconds from now."""

    min_mean_ms: int = Field(default=1_000, ge=1)
    min_calls: int = Field(default=1, ge=1)
    over_s: int = Field(default=0, ge=0, le=60)
    top: int = Field(default=5, ge=1, le=50)


class Sizes(Params):
    top: int = Field(default=10, ge=1, le=100)


class Read(Params):
    """`query` is a name of `postgres.queries`; `values` are bound to its %(name)s."""

    query: str = Field(pattern=NAME)
    values: dict[str, str | int | float | bool | None] = Field(default={}, max_length=20)
    most: int = Field(default=50, ge=1, le=1_000)


class EndIdle(Params):
    """`below_percent`: no more than it takes to get below this share of all connections; 0: `most`.

    `in_transaction`: also those that idle in the middle of a transaction, which is rolled back.
    """

    older_than_s: int = Field(default=3_600, ge=1, le=_WEEK_S)
    most: int = Field(default=20, ge=1, le=500)
    below_percent: int = Field(default=0, ge=0, le=100)
    in_transaction: bool = False


class CancelLong(Params):
    """`terminate`: end the session as well, not only its query."""

    older_than_s: int = Field(default=300, ge=1, le=_WEEK_S)
    most: int = Field(default=5, ge=1, le=100)
    terminate: bool = False


class Analyze(Params):
    """`table` "": the tables whose statistics are most out of date, `most` of them."""

    table: str = Field(default="", pattern=rf"{_IDENTIFIER}|^$")
    schema_name: str = Field(default="public", alias="schema", pattern=_IDENTIFIER)
    most: int = Field(default=5, ge=1, le=50)


def connections(step: Step, params: Connections) -> dict[str, Any]:
    """How full the server is: {"total", "max", "percent", "by_state", "idle_old", "endable", "active_long", ...}."""
    return sessions.connections(step, params.idle_older_than_s, params.active_longer_than_s, params.top)


def slow_queries(step: Step, params: SlowQueries) -> dict[str, Any]:
    """{"slow", "running", "worst_mean_ms", "queries": [{"id", "calls", "mean_ms", "query", ...}], ...}."""
    return statements.slow_queries(step, params.min_mean_ms, params.min_calls, params.over_s, params.top)


def sizes(step: Step, params: Sizes) -> dict[str, Any]:
    """{"database": {"name", "bytes"}, "disk_free": null, "tables": [...]}."""
    return tables.sizes(step, params.top)


def integrity(step: Step, _: Nothing) -> dict[str, Any]:
    """All `postgres.checks`: {"ok", "failed": [names], "checks": [...]}."""
    return queries.integrity(step)


def read(step: Step, params: Read) -> dict[str, Any]:
    """One of `postgres.queries`, read-only: {"rows", "count", "more"}."""
    return queries.read(step, params.query, params.values, params.most)


def newest_dump(step: Step, _: Nothing) -> dict[str, Any]:
    """{"newest": {"file", "bytes", "verified", "intact", "age_minutes", ...} | null, "count", "bytes"}."""
    return dumps.newest(step)


def end_idle(step: Step, params: EndIdle) -> dict[str, Any]:
    """End sessions that have been idle for long: {"found", "most", "ended", "left", "affects", "sessions"}."""
    return signals.end_idle(
        step,
        params.older_than_s,
        params.most,
        below_percent=params.below_percent,
        in_transaction=params.in_transaction,
    )


def cancel_long(step: Step, params: CancelLong) -> dict[str, Any]:
    """Cancel the application's queries that run for long: as `end_idle`."""
    return signals.cancel_long(step, params.older_than_s, params.most, terminate=params.terminate)


def analyze(step: Step, params: Analyze) -> dict[str, Any]:
    """Bring statistics up to date: {"found", "analyzed", "affects"}."""
    return tables.analyze(step, params.schema_name, params.table, params.most)


def dump(step: Step, _: Nothing) -> dict[str, Any]:
    """A dump, restored and compared: {"file", "bytes", "verified", "why", "differs", ...}."""
    return dumps.dump(step)


Plan = Callable[[Step, Params], dict[str, Any]]


def _looks(at: str) -> Plan:
    return lambda _, params: {"would": {"ask": at, **params.model_dump()}}


def _does(what: str) -> Plan:
    return lambda _, params: {"would": {"do": what, **params.model_dump()}, "affects": 0}


ACTIONS = {
    "connections": Action(Connections, mutates=False, run=connections, plan=_looks("pg_stat_activity")),
    "slow_queries": Action(SlowQueries, mutates=False, run=slow_queries, plan=_looks("pg_stat_statements")),
    "sizes": Action(Sizes, mutates=False, run=sizes, plan=_looks("pg_class")),
    "integrity": Action(Nothing, mutates=False, run=integrity, plan=_looks("postgres.checks")),
    "read": Action(Read, mutates=False, run=read, plan=_looks("postgres.queries")),
    "newest_dump": Action(Nothing, mutates=False, run=newest_dump, plan=_looks("postgres.dumps")),
    "end_idle": Action(EndIdle, mutates=True, run=end_idle, plan=_does("pg_terminate_backend")),
    "cancel_long": Action(CancelLong, mutates=True, run=cancel_long, plan=_does("pg_cancel_backend")),
    "analyze": Action(Analyze, mutates=True, run=analyze, plan=_does("ANALYZE")),
    "dump": Action(Nothing, mutates=True, run=dump, plan=_does("pg_dump, pg_restore")),
}
