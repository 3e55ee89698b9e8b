"""Named SQL, run by Supabase: queries on its read-only endpoint."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from routing.ports import Step
from workers.supabase import api, statements
from workers.supabase.api import Project
from workers.supabase.statements import NAME, Query, Value

_READ_ONLY = "database/query/read-only"
_MAX_ROWS = 100


class ReadSql(Project):
    """`query` is a name in the setting `queries`; `params` its parameters by name."""

    query: str = Field(pattern=NAME)
    params: dict[str, Value] = Field(default_factory=dict)


def read_sql(step: Step, params: ReadSql) -> dict[str, Any]:
    """{"query", "count", "rows": [at most 100]}."""
    query = statements.named(step, "queries", params.query, Query)
    rows = look(step, params, query, params.params)
    return {"query": params.query, "count": len(rows), "rows": rows[:_MAX_ROWS]}


def look(step: Step, project: Project, query: Query, values: Mapping[str, Value]) -> list[dict[str, Any]]:
    """Its rows. Supabase runs it as a user who cannot write. Raises ActionError."""
    body = _body(query, query.bind(values))
    answer = api.ask(step, "POST", api.address(step, project, _READ_ONLY), json=body)
    return api.rows(answer)


def _body(query: Query, bound: list[Value]) -> dict[str, Any]:
    return {"query": query.sql, **({"parameters": bound} if bound else {})}


def plan_read(step: Step, params: ReadSql) -> dict[str, Any]:
    query = statements.named(step, "queries", params.query, Query)
    return api.would(step, params, "POST", _READ_ONLY, json=_body(query, query.bind(params.params)))
