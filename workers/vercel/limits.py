"""Rules that let each client ask only so often."""

from typing import Any, Literal

from pydantic import Field

from routing.ports import Step
from workers import once
from workers.vercel import api, firewall
from workers.vercel.api import Project
from workers.vercel.firewall import MARK, Remove


class RateLimit(Project):
    """Below `path` each client may ask `limit` times in `window_s` seconds; beyond it happens `then`."""

    path: str = Field(default="/", pattern=r"^/[!-~]{0,200}$")
    limit: int = Field(ge=1, le=10_000_000)
    window_s: int = Field(default=60, ge=10, le=3600)
    by: Literal["ip", "ja4_digest"] = "ip"
    then: Literal["rate_limit", "challenge", "deny", "log"] = "rate_limit"
    note: str = Field(default="", max_length=100)


def rate_limit(step: Step, params: RateLimit) -> dict[str, Any]:
    """{"id", "limit", "window_s"}: lifting `id` takes it back. A rule of the same note and path counts as done."""

    def look() -> dict[str, Any] | None:
        rules = api.listed(firewall.config(step, params.project).get("rules"))
        found = next((each for each in rules if each.get("name") == _name(params)), None)
        return _told(params, found) if found else None

    def ask() -> dict[str, Any]:
        firewall.insert(step, params.project, "rules.insert", _rule(params))
        return look() or _told(params, {})

    return once.once(look, ask)


def lift_rate_limit(step: Step, params: Remove) -> dict[str, Any]:
    """{"id"}. What is gone already counts as done; a rule that we did not make is refused."""

    def rules() -> list[dict[str, Any]]:
        return api.listed(firewall.config(step, params.project).get("rules"))

    return firewall.remove(step, params, "rules.remove", rules, "name")


def _name(params: RateLimit) -> str:
    """At most 160 characters, says Vercel."""
    return f"{MARK}{params.note or 'rate limit'} {params.path}"[:160]


def _rule(params: RateLimit) -> dict[str, Any]:
    kept = {
        "algo": "fixed_window",
        "window": params.window_s,
        "limit": params.limit,
        "keys": [params.by],
        "action": params.then,
    }
    return {
        "name": _name(params),
        "active": True,
        "conditionGroup": [{"conditions": [{"type": "path", "op": "pre", "value": params.path}]}],
        "action": {"mitigate": {"action": "rate_limit", "rateLimit": kept}},
    }


def _told(params: RateLimit, rule: dict[str, Any]) -> dict[str, Any]:
    return {"id": str(rule.get("id", "")), "limit": params.limit, "window_s": params.window_s}


def plan_limit(step: Step, params: RateLimit) -> dict[str, Any]:
    body = {"action": "rules.insert", "id": None, "value": _rule(params)}
    return api.would(step, "PATCH", firewall.PATH, json=body)


def plan_lift(step: Step, params: Remove) -> dict[str, Any]:
    return api.would(
        step, "PATCH", firewall.PATH, json={"action": "rules.remove", "id": params.id, "value": None}
    )
