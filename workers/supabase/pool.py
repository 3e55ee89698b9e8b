"""The shared connection pooler: how many connections it holds to the database."""

from typing import Any

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.supabase import api
from workers.supabase.api import Project

PATH = "config/database/pooler"


def pool(step: Step, params: Project) -> dict[str, Any]:
    """{"size", "mode", "max_clients"}; `size` null: what Supabase chooses for the size of the machine."""
    found = api.read_list(step, api.address(step, params, PATH))
    primary = next((each for each in found if each.get("database_type") == "PRIMARY"), None)
    if primary is None:
        raise ActionError("Supabase: no pooler of a primary database is told of", outcome=Outcome.TEMPORARY)
    return {
        "size": primary.get("default_pool_size"),
        "mode": str(primary.get("pool_mode", "")),
        "max_clients": primary.get("max_client_conn"),
    }


def plan_pool(step: Step, params: Project) -> dict[str, Any]:
    return api.would(step, params, "GET", PATH)
