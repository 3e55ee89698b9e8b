"""Named SQL, run by Supabase: queries by a user who cannot write, statements by one who can."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import once
from workers.supabase import api, statements
from workers.supabase.api import Project
from workers.supabase.statements import NAME, Query, Statement, Value

_READ_ONLY = "database/query/read-only"
_WRITE = "database/query"
_MAX_ROWS = 100


class ReadSql(Project):
    """`query` is a name in the setting `queries`; `params` its parameters by name."""

    query: str = Field(pattern=NAME)
    params: dict[str, Value] = Field(default_factory=dict)


class WriteSql(Project):
    """`statement` is a name in the setting `statements`; `params` its parameters by name."""

    statement: str = Field(pattern=NAME)
    params: dict[str, Value] = Field(default_factory=dict)


def read_sql(step: Step, params: ReadSql) -> dict[str, Any]:
    """{"query", "count", "rows": [at most 100]}."""
    query = statements.named(step, "queries", params.query, Query)
    rows = look(step, params, query, params.params)
    return {"query": params.query, "count": len(rows), "rows": rows[:_MAX_ROWS]}


def write_sql(step: Step, params: WriteSql) -> dict[str, Any]:
    """{"statement", "affects", "rows"}; `affects`: the first row's `affected`, or how many rows came back.

    Whether it is done is read before and, after silence, again. What is repeatable may then be asked again.
    """
    statement = statements.named(step, "statements", params.statement, Statement)
    body = {**_body(statement, statement.bind(params.params)), "read_only": False}

    def look() -> dict[str, Any] | None:
        return {"statement": params.statement, "affects": 0} if _is_done(step, params, statement) else None

    def ask() -> dict[str, Any]:
        rows = api.rows(api.change(step, "POST", api.address(step, params, _WRITE), body))
        return {"statement": params.statement, "affects": _affected(rows), "rows": rows[:_MAX_ROWS]}

    try:
        return once.once(look, ask)
    except ActionError as error:
        if error.outcome is not Outcome.UNKNOWN or not statement.repeatable:
            raise
        raise ActionError(f"{error}; it is repeatable", outcome=Outcome.TEMPORARY) from error


def _is_done(step: Step, params: WriteSql, statement: Statement) -> bool:
    """Asked with those of the statement's values that the query has parameters for."""
    if not statement.done:
        return False
    query = statements.named(step, "queries", statement.done, Query)
    names = {param.name for param in query.params}
    given = {param.name: params.params.get(param.name, param.default) for param in statement.params}
    values = {name: value for name, value in given.items() if name in names and value is not None}
    rows = look(step, params, query, values)
    return bool(rows) and rows[0].get("done") is True


def _affected(rows: list[dict[str, Any]]) -> int:
    told = rows[0].get("affected") if rows else None
    return told if isinstance(told, int) else len(rows)


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


def plan_write(step: Step, params: WriteSql) -> dict[str, Any]:
    statement = statements.named(step, "statements", params.statement, Statement)
    body = {**_body(statement, statement.bind(params.params)), "read_only": False}
    return api.would(step, params, "POST", _WRITE, json=body)
