"""Who is connected, and what for. Texts of queries are never read: they hold customers' data.

Source: the PostgreSQL documentation, 27.2 (pg_stat_activity) and 9.28.2 (signalling functions).
"""

from typing import Any

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.postgres.connection import opened

_TOTALS = """
SELECT count(*)::int AS total,
       current_setting('max_connections')::int AS max,
       current_setting('superuser_reserved_connections')::int AS reserved,
       count(*) FILTER (WHERE datname = current_database())::int AS in_database,
       count(*) FILTER (WHERE backend_type IS NULL AND usename IS NOT NULL)::int AS hidden,
       count(*) FILTER (WHERE state = 'idle' AND since > %(idle_s)s)::int AS idle_old,
       count(*) FILTER (WHERE state = 'active' AND since_start > %(active_s)s)::int AS active_long,
       coalesce(max(since) FILTER (WHERE state = 'idle'), 0)::int AS longest_idle_s,
       coalesce(max(since_start) FILTER (WHERE state = 'active'), 0)::int AS longest_active_s
FROM (SELECT *, extract(epoch FROM clock_timestamp() - state_change) AS since,
             extract(epoch FROM clock_timestamp() - query_start) AS since_start
      FROM pg_stat_activity
      WHERE pid <> pg_backend_pid()
        AND (backend_type = 'client backend' OR (backend_type IS NULL AND usename IS NOT NULL))) AS clients
"""
_GROUPS = """
SELECT usename AS role, application_name AS application, coalesce(state, 'unknown') AS state,
       count(*)::int AS count
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
GROUP BY 1, 2, 3 ORDER BY count DESC, 1, 2, 3
"""


def connections(step: Step, idle_older_than_s: int, active_longer_than_s: int, top: int) -> dict[str, Any]:
    """How full the server is, by whom, and what of it is old. Our own session is not counted.

    {"total", "max", "percent", "in_database", "by_state": {"idle": 63, ...}, "idle_old", "active_long",
    "longest_idle_s", "longest_active_s", "groups": [{"role", "application", "state", "count"}, ...]}
    """
    with opened(step) as database:
        limits = {"idle_s": idle_older_than_s, "active_s": active_longer_than_s}
        (found,) = database.ask("SELECT connections", _TOTALS, limits)
        _must_see(found.pop("hidden"))
        groups = database.ask("SELECT connections by role", _GROUPS)
    return {
        **found,
        "percent": round(100 * found["total"] / found["max"], 1),
        "by_state": _sums(groups),
        "groups": groups[:top],
    }


def _must_see(hidden: int) -> None:
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
