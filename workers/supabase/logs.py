"""The project's logs of the last minutes. The question is ours: of a runbook only a source and numbers go into it."""

from typing import Any, Literal

from pydantic import Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.instant import iso
from routing.ports import Step
from workers.supabase import api
from workers.supabase.api import Project

_MINUTE_MS = 60_000
_DAY_MINUTES = 1440
"""Supabase refuses a longer window."""
_MAX_TEXT = 500
_BUSY = 429
_OWN_FAULT = 500

Source = Literal[
    "edge_logs", "postgres_logs", "auth_logs", "postgrest_logs", "realtime_logs", "storage_logs",
    "function_logs", "function_edge_logs", "supavisor_logs",
]  # fmt: skip


class Logs(Project):
    """The `minutes` before `until_at` (ms; 0: now), newest first. `contains` is looked for here, not asked for."""

    source: Source
    minutes: int = Field(default=15, ge=1, le=_DAY_MINUTES)
    until_at: int = Field(default=0, ge=0)
    limit: int = Field(default=200, ge=1, le=1000)
    contains: str = Field(default="", max_length=1000)
    show: int = Field(default=20, ge=1, le=100)


def logs(step: Step, params: Logs) -> dict[str, Any]:
    """{"count", "full", "lines": [{"at", "text"}]}: so many were found; full: there may be more than `limit`."""
    found = api.read(step, api.address(step, params, "analytics/endpoints/logs.all"), _question(step, params))
    if found.get("error"):
        raise _fault(found["error"])
    listed = found.get("result")
    rows = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    lines = [_line(each) for each in rows if params.contains in str(each.get("event_message", ""))]
    return {"count": len(lines), "full": len(rows) >= params.limit, "lines": lines[: params.show]}


def _question(step: Step, params: Logs) -> dict[str, str | list[str]]:
    until = params.until_at or step.now
    order = f"order by timestamp desc limit {params.limit}"
    return {
        "sql": f"select id, timestamp, event_message from {params.source} {order}",  # noqa: S608  # of a fixed list
        "iso_timestamp_start": iso(until - params.minutes * _MINUTE_MS),
        "iso_timestamp_end": iso(until),
    }


def _line(row: dict[str, Any]) -> dict[str, Any]:
    stamp = row.get("timestamp")
    at = int(stamp) // 1000 if isinstance(stamp, int | float) else 0
    return {"at": at, "text": str(row.get("event_message", ""))[:_MAX_TEXT]}


def _fault(error: Any) -> ActionError:
    """A query that failed is told within a 200, as text or as {"code", "message"}."""
    code = error.get("code") if isinstance(error, dict) else None
    said = str(error.get("message", "")) if isinstance(error, dict) else str(error)
    passing = isinstance(code, int | float) and (code == _BUSY or code >= _OWN_FAULT)
    outcome = Outcome.TEMPORARY if passing else Outcome.PERMANENT
    return ActionError(f"Supabase: the logs could not be searched: {said[:_MAX_TEXT]}", outcome=outcome)


def plan(step: Step, params: Logs) -> dict[str, Any]:
    question = _question(step, params)
    return api.would(step, params, "GET", "analytics/endpoints/logs.all", query=question)
