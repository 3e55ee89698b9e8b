"""PagerDuty's Events API v2, as strict as it documents itself; `alerts` is what it shows."""

from typing import Any

from vendor_server import Asked, Reply, VendorServer

KEY = "R0UT1NGKEY0123456789abcdef012345"
_TOP = {"routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"}
_PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}


class PagerDutyStandin(VendorServer):
    """`alerts`: dedup_key -> triggered, acknowledged or resolved. What is not open cannot be acknowledged."""

    def __init__(self) -> None:
        super().__init__()
        self.alerts: dict[str, str] = {}
        self.payloads: dict[str, Any] = {}

    def channel(self, **changes: Any) -> dict[str, Any]:
        """What the channel needs to use it."""
        return {"routing_key": KEY, "base_url": self.url, **changes}

    def fault(self, status: int) -> Any:
        return {"status": "invalid event", "message": f"scripted {status}", "errors": ["scripted"]}

    def answer(self, asked: Asked) -> Reply:
        if (asked.method, asked.path) != ("POST", "/v2/enqueue"):
            return Reply(404, {"message": "Not Found"})
        event = asked.json
        if asked.headers.get("content-type") != "application/json" or (wrong := _wrong(event)):
            return Reply(
                400, {"status": "invalid event", "message": "Event object is invalid", "errors": [wrong]}
            )
        key, action = event["dedup_key"], event["event_action"]
        known = self.alerts.get(key, "")
        if action == "trigger":
            self.alerts[key] = known if known == "acknowledged" else "triggered"
            self.payloads[key] = event
        elif known and known != "resolved":
            self.alerts[key] = f"{action}d" if action == "resolve" else "acknowledged"
        return Reply(202, {"status": "success", "message": "Event processed", "dedup_key": key})


def _wrong(event: Any) -> str:
    if not isinstance(event, dict) or event.keys() - _TOP:
        return "unknown field"
    if event.get("routing_key") != KEY:
        return "Invalid routing key"
    if event.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
        return "'event_action' is missing or invalid"
    if not 1 <= len(event.get("dedup_key", "")) <= 255:
        return "'dedup_key' is missing or too long"
    return _wrong_payload(event) if event["event_action"] == "trigger" else ""


def _wrong_payload(event: dict[str, Any]) -> str:
    payload = event.get("payload", {})
    if payload.keys() - _PAYLOAD or not {"summary", "source", "severity"} <= payload.keys():
        return "'payload' has other fields"
    if not 1 <= len(payload["summary"]) <= 1024 or not payload["source"]:
        return "'payload.summary' is missing, blank or too long"
    if payload["severity"] not in {"critical", "error", "warning", "info"}:
        return "'payload.severity' is invalid"
    return (
        ""
        if all(link["href"].startswith("http") for link in event.get("links", []))
        else "'links' is invalid"
    )
