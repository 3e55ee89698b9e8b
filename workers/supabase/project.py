"""Is the project well: its own state, and that of the services it consists of."""

from typing import Any, Literal

from pydantic import Field

from routing.ports import Step
from workers.supabase import api
from workers.supabase.api import Project

_WELL = "ACTIVE_HEALTHY"

Service = Literal["db", "rest", "pooler", "auth", "realtime", "storage"]


class Health(Project):
    """`timeout_ms`: how long Supabase waits for each service."""

    services: tuple[Service, ...] = Field(default=("db", "rest", "pooler", "auth"), min_length=1)
    timeout_ms: int = Field(default=5_000, ge=100, le=10_000)


def status(step: Step, params: Project) -> dict[str, Any]:
    """{"ok", "status", "name", "region", "database": <its version>}; ok only when ACTIVE_HEALTHY."""
    found = api.read(step, api.address(step, params))
    database = found.get("database")
    return {
        "ok": found.get("status") == _WELL,
        "status": str(found.get("status", "UNKNOWN")),
        "name": str(found.get("name", "")),
        "region": str(found.get("region", "")),
        "database": str(database.get("version", "")) if isinstance(database, dict) else "",
    }


def health(step: Step, params: Health) -> dict[str, Any]:
    """{"ok", "unhealthy": [names], "services": {<name>: {"status", "error"}}}; silence about one is not ok."""
    query: dict[str, str | list[str]] = {
        "services": list(params.services),
        "timeout_ms": str(params.timeout_ms),
    }
    found = api.read_list(step, api.address(step, params, "health"), query)
    told = {str(each.get("name")): each for each in found}
    services = {name: _service(told.get(name, {})) for name in params.services}
    unhealthy = [name for name, each in services.items() if each["status"] != _WELL]
    return {"ok": not unhealthy, "unhealthy": unhealthy, "services": services}


def _service(told: dict[str, Any]) -> dict[str, str]:
    return {"status": str(told.get("status", "UNKNOWN")), "error": str(told.get("error", ""))}


def plan_status(step: Step, params: Project) -> dict[str, Any]:
    return api.would(step, params, "GET")


def plan_health(step: Step, params: Health) -> dict[str, Any]:
    return api.would(step, params, "GET", "health", services=list(params.services))
