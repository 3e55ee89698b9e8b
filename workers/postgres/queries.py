"""Queries that the operator named in `config/actions.yaml`. Runbooks give a name and values, never a text."""

import math
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.postgres import given
from workers.postgres.connection import Database, opened

MOST_FAILING = 1_000
"""Rows of a failing check beyond this are not counted."""


def read(step: Step, query: str, values: Mapping[str, Any], most: int) -> dict[str, Any]:
    """{"rows": [...], "count", "more": whether there were more}. In a READ ONLY transaction."""
    known = given.queries(step, "queries")
    if query not in known:
        has = ", ".join(sorted(known)) or "none"
        raise ActionError(
            f"postgres.queries in config/actions.yaml has no {query!r}; it has {has}",
            outcome=Outcome.PERMANENT,
        )
    with opened(step) as database:
        rows, more = database.most(f"SELECT {query}", known[query], values, most)
    return {"rows": [_plain(row) for row in rows], "count": len(rows), "more": more}


def integrity(step: Step) -> dict[str, Any]:
    """Every check of the configuration: a query for what must not be there.

    {"ok", "failed": [names], "checks": [{"name", "ok", "found", "error"}, ...]}. Rows are counted, not shown. A
    check that cannot be made does not hold.
    """
    known = given.queries(step, "checks")
    if not known:
        raise ActionError(
            "postgres.checks in config/actions.yaml is empty; name queries there that find what must not be",
            outcome=Outcome.PERMANENT,
        )
    with opened(step) as database:
        checks = [_check(database, name, query) for name, query in sorted(known.items())]
    failed = [check["name"] for check in checks if not check["ok"]]
    return {"ok": not failed, "failed": failed, "checks": checks}


def _check(database: Database, name: str, query: str) -> dict[str, Any]:
    rows, error = database.tried(f"SELECT check {name}", query, MOST_FAILING)
    return {"name": name, "ok": not rows and not error, "found": rows, "error": error}


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    """As JSON has it: numbers as numbers, so that conditions can compare them."""
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    try:
        return orjson.loads(orjson.dumps(value))
    except (orjson.JSONEncodeError, TypeError):
        return str(value)
