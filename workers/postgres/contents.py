"""What a database holds, in numbers that two of them can be compared by: rows and a checksum of each table.

The checksum adds up hashes of whole rows as text, so the order of rows does not matter; settings that change how
values are written are the same on both sides. Source: the PostgreSQL documentation, 20.11 (formatting).
"""

from typing import Any, Final, LiteralString

from workers.postgres.connection import Database, quoted

SETTINGS: Final[LiteralString] = """
SELECT set_config('search_path', 'pg_catalog', true), set_config('timezone', 'UTC', true),
       set_config('datestyle', 'ISO', true), set_config('intervalstyle', 'postgres', true),
       set_config('extra_float_digits', '1', true), set_config('bytea_output', 'hex', true),
       set_config('row_security', 'off', true)
"""
"""With row_security off a table whose rows are partly hidden is an error, and not half a table."""
_TABLES: Final[LiteralString] = """
SELECT nspname AS schema, relname AS table
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND relpersistence <> 't'
  AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'
  AND (%(schemas)s::text[] = '{}' OR nspname = ANY(%(schemas)s::text[]))
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
ORDER BY 1, 2
"""
_SUM: Final[LiteralString] = """
SELECT count(*) AS rows,
       coalesce(sum(('x' || left(md5(whole::text), 16))::bit(64)::bigint::numeric), 0)::text AS checksum
FROM ONLY {}.{} AS whole
"""

Contents = dict[str, tuple[int, str]]
"""Table ("public.orders") -> rows and checksum."""


def contents(database: Database, schemas: list[str]) -> Contents:
    """Of these schemas, [] for all. In the transaction that is open, or in one for all."""
    found: Contents = {}
    with database.transaction() as connection:
        connection.execute(SETTINGS)
        for each in connection.execute(_TABLES, {"schemas": schemas}).fetchall():
            names = (each["schema"], each["table"])
            row: dict[str, Any] = connection.execute(quoted(_SUM, names)).fetchone() or {}
            found[".".join(names)] = (row["rows"], row["checksum"])
    return found


def differences(source: Contents, copy: Contents) -> list[str]:
    """In words, table by table; none when they are the same."""
    found = []
    for table in sorted(source.keys() | copy.keys()):
        rows, there = source.get(table), copy.get(table)
        if rows is None or there is None:
            found.append(f"{table} is only in the {'copy' if rows is None else 'source'}")
        elif rows[0] != there[0]:
            found.append(f"{table} has {there[0]} rows instead of {rows[0]}")
        elif rows != there:
            found.append(f"{table} has other contents")
    return found
