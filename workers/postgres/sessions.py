"""Who is connected, and what for. Texts of queries are never read: they hold customers' data.

Source: the PostgreSQL documentation, 27.2 (pg_stat_activity), 13.3.5 (advisory locks).
"""

from typing import Any, Final, LiteralString

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.postgres import given
from workers.postgres.connection import opened

ENDABLE: Final[LiteralString] = """
    backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()
    AND usename <> ALL(%(roles)s) AND application_name <> ALL(%(applications)s)
    AND NOT EXISTS (SELECT FROM pg_roles WHERE oid = usesysid AND (rolsuper OR rolreplication))
"""
"""Sessions that may be touched at all: of this database, and of nobody who is spared."""
IDLE: Final[LiteralString] = """
    state = ANY(%(states)s) AND state_change < clock_timestamp() - make_interval(secs => %(idle_s)s)
    AND NOT EXISTS (SELECT FROM pg_locks AS held WHERE held.pid = session.pid AND locktype = 'advisory')
"""
"""Sessions that do nothing, and hold no advisory lock: who holds one (a leader, a scheduler) waits on purpose."""

_TOTALS: Final[LiteralString] = f"""
SELECT count(*)::int AS total,
       current_setting('max_connections')::int AS max,
       count(*) FILTER (WHERE datname = current_database())::int AS in_database,
       count(*) FILTER (WHERE backend_type IS NULL)::int AS hidden,
       count(*) FILTER (WHERE {ENDABLE} AND {IDLE})::int AS endable,
       count(*) FILTER (WHERE state = 'idle' AND unchanged_s > %(idle_s)s)::int AS idle_old,
       count(*) FILTER (WHERE state = 'active' AND query_s > %(active_s)s)::int AS active_long,
       coalesce(max(unchanged_s) FILTER (WHERE state = 'idle'), 0)::int AS longest_idle_s,
       coalesce(max(query_s) FILTER (WHERE state = 'active'), 0)::int AS longest_active_s
FROM (SELECT *, extract(epoch FROM clock_timestamp() - state_change) AS unchanged_s,
             extract(epoch FROM clock_timestamp() - query_start) AS query_s
      FROM pg_stat_activity
      WHERE pid <> pg_backend_pid() AND usename IS NOT NULL
        AND coalesce(backend_type, 'client backend') = 'client backend') AS session
"""  # noqa: S608  # made of our own constants alone
_GROUPS: Final[LiteralString] = """
SELECT usename AS role, application_name AS application, coalesce(state, 'unknown') AS state,
       count(*)::int AS count
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
GROUP BY 1, 2, 3 ORDER BY count DESC, 1, 2, 3
"""


def connections(step: Step, idle_older_than_s: int, active_longer_than_s: int, top: int) -> dict[str, Any]:
    """How full the server is, by whom, and what of it is old. Our own session is not counted.

    {"total", "max", "percent", "in_database", "by_state": {"idle": 63, ...}, "idle_old", "endable", "active_long",
    "longest_idle_s", "longest_active_s", "groups": [{"role", "application", "state", "count"}, ...]}; `endable`
    are the idle ones that `end_idle` would end.
    """
    limits = {"idle_s": idle_older_than_s, "active_s": active_longer_than_s, "states": ["idle"]}
    with opened(step) as database:
        (found,) = database.ask("SELECT connections", _TOTALS, {**limits, **given.spared(step)})
        must_see(found.pop("hidden"))
        groups = database.ask("SELECT connections by role", _GROUPS)
    return {
        **found,
        "percent": round(100 * found["total"] / found["max"], 1),
        "by_state": _sums(groups),
        "groups": groups[:top],
    }


def must_see(hidden: int) -> None:
    """Raises ActionError when there are sessions whose state the role may not see: half a picture misleads."""
    if hidden:
        raise ActionError(
            f"PostgreSQL: {hidden} sessions of other roles cannot be seen; "
            "GRANT pg_monitor TO the role of POSTGRES_URL",
            outcome=Outcome.PERMANENT,
        )


def _sums(groups: list[dict[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for group in groups:
        found[group["state"]] = found.get(group["state"], 0) + group["count"]
    return found
