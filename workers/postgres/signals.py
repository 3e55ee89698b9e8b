"""Ending sessions that do nothing, and queries that never end. Counted first, capped, looked at once more one by
one right before each signal: between two looks an idle session may have begun to work.

Source: the PostgreSQL documentation, 9.28.2 (pg_cancel_backend, pg_terminate_backend).
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, LiteralString

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.journal import note
from workers.postgres import given
from workers.postgres.connection import Database, opened
from workers.postgres.sessions import ENDABLE, IDLE, must_see

GONE_S: Final = 2.0
"""How long a session that was told to end may take before it counts as left."""

_FIELDS: Final[LiteralString] = """
SELECT pid, backend_start, query_start, state, usename AS role, application_name AS application,
       extract(epoch FROM clock_timestamp() - coalesce(state_change, backend_start))::int AS unchanged_s
FROM pg_stat_activity AS session
"""
_IDLE: Final[LiteralString] = f"{_FIELDS} WHERE {ENDABLE} AND {IDLE} ORDER BY state_change"
_LONG: Final[LiteralString] = f"""
{_FIELDS} WHERE {ENDABLE} AND state = 'active' AND usename = ANY(%(app_roles)s)
    AND query_start < clock_timestamp() - make_interval(secs => %(active_s)s)
ORDER BY query_start
"""
_SAME: Final[LiteralString] = """
FROM pg_stat_activity
WHERE pid = %(pid)s AND backend_start = %(backend_start)s AND state = %(state)s
  AND query_start IS NOT DISTINCT FROM %(query_start)s
"""
"""The very session as it was counted, still at what it was at: a pid may be used again."""
_CANCEL: Final[LiteralString] = "SELECT pg_cancel_backend(pid) AS sent " + _SAME
_TERMINATE: Final[LiteralString] = "SELECT pg_terminate_backend(pid) AS sent " + _SAME
_THERE: Final[LiteralString] = "SELECT 1 AS one " + _SAME
_BEFORE: Final[LiteralString] = """
SELECT count(*) FILTER (WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())::int AS total,
       count(*) FILTER (WHERE backend_type IS NULL AND usename IS NOT NULL
                        AND datname = current_database())::int AS hidden,
       current_setting('max_connections')::int AS max
FROM pg_stat_activity
"""


@dataclass(frozen=True, slots=True)
class Hunt:
    """What is looked for, how it is ended, and how many at most; with `below_percent` no more than it takes to
    get below this share of the server's connections.
    """

    query: LiteralString
    params: Mapping[str, Any]
    signal: LiteralString
    name: str
    most: int
    below_percent: int = 0

    def room(self, total: int, limit: int) -> int:
        """How many may be ended when there are `total` of `limit`."""
        if not self.below_percent:
            return self.most
        below = math.ceil(self.below_percent * limit / 100) - 1
        return min(self.most, max(0, total - below))


def end_idle(
    step: Step, older_than_s: int, most: int, *, below_percent: int, in_transaction: bool
) -> dict[str, Any]:
    """End sessions idle for longer, the longest first. {"found", "most", "ended", "left", "affects", "sessions"};
    `most` is what could be ended at most, by the cap and by what it takes.
    """
    states = ["idle", "idle in transaction", "idle in transaction (aborted)"]
    params = {
        "idle_s": older_than_s,
        "states": states if in_transaction else states[:1],
        **given.spared(step),
    }
    return _end(step, Hunt(_IDLE, params, _TERMINATE, "pg_terminate_backend", most, below_percent))


def cancel_long(step: Step, older_than_s: int, most: int, *, terminate: bool) -> dict[str, Any]:
    """Cancel queries of the application that run for longer, or end their sessions. Returns what `end_idle` does."""
    roles = given.names(step, "app_roles")
    if not roles:
        fix = "name the application's roles there: only their queries may be cancelled"
        raise ActionError(
            f"postgres.app_roles in config/actions.yaml is empty; {fix}", outcome=Outcome.PERMANENT
        )
    params = {"active_s": older_than_s, "app_roles": roles, **given.spared(step)}
    signal, name = (_TERMINATE, "pg_terminate_backend") if terminate else (_CANCEL, "pg_cancel_backend")
    return _end(step, Hunt(_LONG, params, signal, name, most))


def _end(step: Step, hunt: Hunt) -> dict[str, Any]:
    with opened(step, mutates=True) as database:
        (seen,) = database.ask("SELECT connections", _BEFORE)
        must_see(seen["hidden"])
        most = hunt.room(seen["total"], seen["max"])
        found = database.ask("SELECT sessions", hunt.query, hunt.params)
        sent, stopped = [], ""
        for session in found[:most]:
            if not step.allowed():
                stopped = "the kill switch is on, or the lock on the target was lost"
                break
            if _signal(database, hunt, session):
                sent.append(session)
        left = _left(database, sent)
    if stopped and not sent:
        raise ActionError(stopped, outcome=Outcome.REFUSED)
    return {
        "found": len(found),
        "most": most,
        "ended": len(sent) - left,
        "left": left,
        "affects": len(sent),
        "sessions": [_told(session) for session in sent],
        **({"stopped": stopped} if stopped else {}),
    }


def _signal(database: Database, hunt: Hunt, session: dict[str, Any]) -> bool:
    """False when it has moved on by itself."""
    rows = database.ask("", hunt.signal, _same(session))
    sent = bool(rows and rows[0]["sent"])
    if sent:
        database.touched = True
        note(f"{hunt.name}({session['pid']}) of {session['role']} answered true")
    return sent


def _left(database: Database, sent: list[dict[str, Any]]) -> int:
    """How many are still there when all had the time to go."""
    ends = time.monotonic() + GONE_S
    there = sent
    while there:
        there = [each for each in there if database.ask("", _THERE, _same(each))]
        if not there or time.monotonic() > ends:
            break
        time.sleep(0.05)
    return len(there)


def _same(session: dict[str, Any]) -> dict[str, Any]:
    return {name: session[name] for name in ("pid", "backend_start", "state", "query_start")}


def _told(session: dict[str, Any]) -> dict[str, Any]:
    return {name: session[name] for name in ("pid", "role", "application", "state", "unchanged_s")}
