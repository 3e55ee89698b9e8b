"""What Supabase's own advisors find wrong with the database: exposed tables, missing indexes."""

from typing import Any, Literal

from pydantic import Field

from routing.ports import Step
from workers.supabase import api
from workers.supabase.api import Project

_LEVELS = ("ERROR", "WARN", "INFO")
_MAX_LISTED = 50

Kind = Literal["security", "performance"]


class Advisors(Project):
    """`least`: findings below this level are only counted."""

    kinds: tuple[Kind, ...] = Field(default=("security", "performance"), min_length=1)
    least: Literal["ERROR", "WARN", "INFO"] = "WARN"


def advisors(step: Step, params: Advisors) -> dict[str, Any]:
    """{"errors", "warnings", "count", "findings": [{kind, name, level, title, where, remediation}]}, worst first."""
    found = [
        {"kind": kind, **_finding(each)}
        for kind in params.kinds
        for each in _lints(api.read(step, api.address(step, params, "advisors", kind)))
    ]
    wanted = _LEVELS[: _LEVELS.index(params.least) + 1]
    listed = sorted((each for each in found if each["level"] in wanted), key=_rank)
    return {
        "errors": sum(each["level"] == "ERROR" for each in found),
        "warnings": sum(each["level"] == "WARN" for each in found),
        "count": len(found),
        "findings": listed[:_MAX_LISTED],
    }


def _lints(body: dict[str, Any]) -> list[dict[str, Any]]:
    found = body.get("lints")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _finding(lint: dict[str, Any]) -> dict[str, str]:
    at = lint.get("metadata")
    place = at if isinstance(at, dict) else {}
    parts = (str(place.get("schema") or ""), str(place.get("name") or place.get("entity") or ""))
    return {
        "name": str(lint.get("name", "")),
        "level": str(lint.get("level", "")),
        "title": str(lint.get("title", "")),
        "where": ".".join(part for part in parts if part),
        "remediation": str(lint.get("remediation", "")),
    }


def _rank(finding: dict[str, str]) -> int:
    return _LEVELS.index(finding["level"])


def plan(step: Step, params: Advisors) -> dict[str, Any]:
    return api.would(step, params, "GET", "advisors", params.kinds[0], kinds=list(params.kinds))
