"""Statuspage, as strict as Statuspage: one page, its components, its incidents, and one request a second for a key."""

from typing import Any

from vendor_server import Asked, Reply, VendorServer

KEY = "oauth-standin"
PAGE = "abcdef123456"
COMPONENTS = {"site": "8kbf7d35c070", "checkout": "9xyz7d35c071"}
_STATES = {"investigating", "identified", "monitoring", "resolved"}
_HEALTH = {"operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"}
_IMPACTS = {"none", "maintenance", "minor", "major", "critical"}
_TAKES = {
    "name", "status", "body", "component_ids", "components", "metadata", "impact_override", "deliver_notifications",
}  # fmt: skip


class StatuspageStandin(VendorServer):
    """`incidents`: newest first. `health`: of each component. `told`: how often subscribers were written to."""

    def __init__(self) -> None:
        super().__init__()
        self.incidents: list[dict[str, Any]] = []
        self.health = dict.fromkeys(COMPONENTS.values(), "operational")
        self.told = 0

    def settings(self, **changes: Any) -> dict[str, Any]:
        return {"api_key": KEY, "components": COMPONENTS, "pause_ms": 0, "base_url": self.url, **changes}

    def fault(self, status: int) -> Any:
        return {"error": ["scripted"] if status == 422 else "scripted"}

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"OAuth {KEY}":
            return Reply(401, {"error": "Could not authenticate"})
        base, _, which = asked.path.partition(f"/v1/pages/{PAGE}/incidents")
        if base or not asked.path.startswith("/v1/pages/") or f"/{PAGE}/" not in asked.path:
            return Reply(404, {"error": "Page not found"})
        if asked.method == "GET" and not which:
            limit = int(asked.query.get("limit", ["100"])[0])
            return (
                Reply(200, self.incidents[:limit]) if 1 <= limit <= 100 else Reply(422, {"error": ["limit"]})
            )
        if asked.headers.get("content-type") != "application/json":
            return Reply(400, {"error": "Bad request"})
        given = asked.json.get("incident", {})
        if wrong := _wrong(given, new=not which):
            return Reply(422, {"error": [wrong]})
        if asked.method == "POST" and not which:
            return Reply(
                201, self._take({"id": f"inc{len(self.incidents) + 1}", "incident_updates": []}, given)
            )
        found = next((each for each in self.incidents if f"/{each['id']}" == which), None)
        if asked.method != "PATCH" or found is None:
            return Reply(404, {"error": "Incident not found"})
        return Reply(200, self._take(found, given))

    def _take(self, incident: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        incident.update(
            {key: given[key] for key in ("name", "status", "metadata", "impact_override") if key in given}
        )
        incident["incident_updates"].insert(0, {"status": given["status"], "body": given["body"]})
        if incident not in self.incidents:
            self.incidents.insert(0, incident)
        self.health.update(given.get("components", {}))
        self.told += bool(given.get("deliver_notifications", True))
        return incident


def _wrong(given: dict[str, Any], *, new: bool) -> str:
    """In the vendor's words; "" when it may be taken."""
    if given.keys() - _TAKES:
        return f"unknown {sorted(given.keys() - _TAKES)}"
    if new and not 1 <= len(given.get("name", "")) <= 255:
        return "Name can't be blank, and has at most 255 characters"
    if given.get("status") not in _STATES:
        return "Status is invalid"
    if not given.get("body"):
        return "Body can't be blank"
    components = given.get("components", {})
    if set(components) - set(COMPONENTS.values()) or set(components.values()) - _HEALTH:
        return "Components are invalid"
    if set(given.get("component_ids", ())) != set(components):
        return "Component ids differ"
    if not all(isinstance(each, dict) for each in given.get("metadata", {}).values()):
        return "Metadata's top-level values must be objects"
    return "" if given.get("impact_override", "none") in _IMPACTS else "Impact is invalid"
