"""Tables: how large they are, and their statistics brought up to date.

Source: the PostgreSQL documentation, 9.28.7 (sizes), 27.2 (pg_stat_user_tables), ANALYZE.
"""

from typing import Any, Final, LiteralString

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.journal import note
from workers.postgres.connection import Database, opened

_DATABASE: Final[LiteralString] = """
SELECT current_database() AS name, pg_database_size(current_database()) AS bytes
"""
_LARGEST: Final[LiteralString] = """
SELECT nspname AS schema, pg_class.relname AS table, pg_total_relation_size(pg_class.oid) AS bytes,
       greatest(reltuples, 0)::bigint AS rows_estimated, coalesce(n_dead_tup, 0) AS rows_dead
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
LEFT JOIN pg_stat_all_tables AS counted ON counted.relid = pg_class.oid
WHERE relkind IN ('r', 'm') AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_toast'
ORDER BY bytes DESC, 1, 2 LIMIT %(top)s
"""
_NAMED: Final[LiteralString] = """
SELECT nspname AS schema, relname AS table
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'm', 'p') AND nspname = %(schema)s AND relname = %(table)s
"""
_STALE: Final[LiteralString] = """
SELECT schemaname AS schema, relname AS table
FROM pg_stat_user_tables
WHERE n_mod_since_analyze > greatest(50, 0.1 * n_live_tup)
ORDER BY n_mod_since_analyze::float / greatest(n_live_tup, 1) DESC, 1, 2
"""
"""Autovacuum analyses at the same tenth of a table; here are those it has not come to yet."""


def sizes(step: Step, top: int) -> dict[str, Any]:
    """{"database": {"name", "bytes"}, "disk_free": null, "tables": [{"schema", "table", "bytes", "rows_estimated",
    "rows_dead"}, ...]}, the largest first, indexes included. Free disk cannot be asked by SQL.
    """
    with opened(step) as database:
        (whole,) = database.ask("SELECT size of the database", _DATABASE)
        tables = database.ask("SELECT sizes of tables", _LARGEST, {"top": top})
    return {"database": whole, "disk_free": None, "tables": tables}


def analyze(step: Step, schema: str, table: str, most: int) -> dict[str, Any]:
    """ANALYZE this table; with no table the ones whose statistics are most out of date.

    {"found", "analyzed": ["public.orders", ...], "affects"}. Harmless to repeat; nothing waits for it.
    """
    with opened(step, mutates=True) as database:
        found = _named(database, schema, table) if table else database.ask("SELECT stale tables", _STALE)
        done: list[str] = []
        for each in found[:most]:
            if not step.allowed():
                said = "the kill switch is on, or the lock on the target was lost"
                raise ActionError(said, outcome=Outcome.REFUSED)
            _analyze(database, each["schema"], each["table"])
            done.append(f"{each['schema']}.{each['table']}")
    return {"found": len(found), "analyzed": done, "affects": len(done)}


def _named(database: Database, schema: str, table: str) -> list[dict[str, Any]]:
    """The table as the catalogue writes it. Raises ActionError when there is none."""
    found = database.ask("SELECT table", _NAMED, {"schema": schema, "table": table})
    if not found:
        raise ActionError(f"PostgreSQL: no table {table!r} in schema {schema!r}", outcome=Outcome.PERMANENT)
    return found


def _analyze(database: Database, schema: str, table: str) -> None:
    """Raises ActionError when the role may not: PostgreSQL only warns of it and skips the table."""
    before = len(database.warnings)
    database.ask("", "ANALYZE {}.{}", names=[schema, table])
    note(f"ANALYZE {schema}.{table} answered")
    if len(database.warnings) > before:
        fix = "the role of POSTGRES_URL must own the table, or have pg_maintain (PostgreSQL 17)"
        raise ActionError(f"PostgreSQL: {database.warnings[-1]}; {fix}", outcome=Outcome.PERMANENT)
