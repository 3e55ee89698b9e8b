"""What queries cost, by pg_stat_statements. Texts come with placeholders for their values; statements that are
kept as they were written (ALTER ROLE ... PASSWORD) are left out, and so are comments.

Source: the PostgreSQL documentation, F.32 (pg_stat_statements): since 1.8 the columns are total_exec_time and
mean_exec_time.
"""

import time
from typing import Any, Final, LiteralString

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.postgres.connection import Database, opened

OLDEST: Final = (1, 8)
_EXTENSION: Final[LiteralString] = """
SELECT nspname AS schema, extversion AS version
FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_stat_statements'
"""
_COUNTERS: Final[LiteralString] = r"""
SELECT queryid::text AS id, sum(calls)::bigint AS calls, sum(total_exec_time)::float AS total_ms,
       sum(rows)::bigint AS rows, min(left(regexp_replace(query, '/\*.*?\*/', ' ', 'g'), 300)) AS query
FROM {}.pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND query ~* '^\s*(/\*.*?\*/\s*)*(select|with|insert|update|delete|merge|values|table)\M'
GROUP BY queryid
"""
_RUNNING: Final[LiteralString] = """
SELECT count(*)::int AS running FROM pg_stat_activity
WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()
  AND state = 'active' AND query_start < clock_timestamp() - make_interval(secs => %(mean_s)s)
"""
_FIX: Final = (
    "add pg_stat_statements to shared_preload_libraries, restart, then CREATE EXTENSION pg_stat_statements"
)

Counters = dict[str, dict[str, Any]]


def slow_queries(step: Step, min_mean_ms: int, min_calls: int, over_s: int, top: int) -> dict[str, Any]:
    """Queries whose mean is above the limit: since the counters began, or within the next `over_s` seconds.

    Only the latter can fall again when a cause is gone. {"slow": how many, "running": queries that already run for
    longer than that, "worst_mean_ms", "over_s", "queries": [{"id", "calls", "mean_ms", "total_ms",
    "share_percent", "rows", "query"}, ...]}, the most expensive first.
    """
    with opened(step) as database:
        schema = _schema(database)
        before = _counters(database, schema) if over_s else {}
        time.sleep(over_s)
        spent = _between(before, _counters(database, schema))
        (seen,) = database.ask("SELECT long running", _RUNNING, {"mean_s": min_mean_ms / 1000})
    whole = sum(each["total_ms"] for each in spent)
    slow = [each for each in spent if each["calls"] >= min_calls and _mean(each) >= min_mean_ms]
    slow.sort(key=lambda each: each["total_ms"], reverse=True)
    return {
        "slow": len(slow),
        "running": seen["running"],
        "worst_mean_ms": round(max(map(_mean, slow), default=0), 1),
        "over_s": over_s,
        "queries": [_told(each, whole) for each in slow[:top]],
    }


def _schema(database: Database) -> str:
    """Where the extension lives. Raises ActionError with what to do when it is not there, or too old."""
    found = database.ask("SELECT extension", _EXTENSION)
    if not found:
        raise ActionError(
            f"PostgreSQL: pg_stat_statements is not installed; {_FIX}", outcome=Outcome.PERMANENT
        )
    version = str(found[0]["version"])
    if tuple(map(int, version.split("."))) < OLDEST:
        fix = "ALTER EXTENSION pg_stat_statements UPDATE; it takes PostgreSQL 13 or newer"
        raise ActionError(f"PostgreSQL: pg_stat_statements is {version}; {fix}", outcome=Outcome.PERMANENT)
    return str(found[0]["schema"])


def _counters(database: Database, schema: str) -> Counters:
    rows = database.ask("SELECT pg_stat_statements", _COUNTERS, names=[schema])
    return {row["id"]: row for row in rows if row["id"] is not None}


def _between(before: Counters, after: Counters) -> list[dict[str, Any]]:
    """What was added. Counters that went down were reset in between, and count as they are."""
    spent = [_added(before.get(key), row) for key, row in after.items()]
    return [row for row in spent if row["calls"]]


def _added(old: dict[str, Any] | None, row: dict[str, Any]) -> dict[str, Any]:
    if old is None or old["calls"] > row["calls"]:
        return row
    return {**row, **{name: row[name] - old[name] for name in ("calls", "total_ms", "rows")}}


def _mean(row: dict[str, Any]) -> float:
    return float(row["total_ms"]) / int(row["calls"])


def _told(row: dict[str, Any], whole_ms: float) -> dict[str, Any]:
    return {
        "id": row["id"],
        "calls": row["calls"],
        "mean_ms": round(_mean(row), 1),
        "total_ms": round(row["total_ms"]),
        "share_percent": round(100 * row["total_ms"] / whole_ms, 1) if whole_ms else 0,
        "rows": row["rows"],
        "query": " ".join(row["query"].split()),
    }
