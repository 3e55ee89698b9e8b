"""A project's firewall at Vercel: blocks, rules and attack mode that really hold, and refusals of malformed ones.

Stricter than Vercel's published description, whose catch-all takes anything.
"""

import ipaddress
from dataclasses import dataclass, field
from typing import Any

from vendor_server import Asked

_ACTIONS = {"deny", "challenge", "log", "bypass"}
_MITIGATIONS = {"log", "challenge", "deny", "rate_limit"}
_PATHS = {"type", "op", "value"}


class MalformedError(ValueError):
    """400."""


@dataclass
class Firewall:
    ips: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    configured: bool = False
    """Whether it ever was; before, there is nothing to be read."""
    attack_until: int | None = None
    attack: bool = False
    made: int = 0

    def blocked(self) -> set[str]:
        return {str(each["ip"]) for each in self.ips if each["action"] == "deny"}

    def shown(self) -> dict[str, Any]:
        return {
            "ownerId": "team_1", "projectKey": "prj_1", "id": "waf_1", "version": self.made, "firewallEnabled": True,
            "updatedAt": "2026-01-02T03:04:05Z", "crs": {}, "rules": self.rules, "ips": self.ips, "changes": [],
        }  # fmt: skip

    def change(self, asked: Asked) -> dict[str, Any]:
        """Raises MalformedError, LookupError."""
        body = _keys(asked.json, {"action", "id", "value"})
        self.configured = True
        match body["action"]:
            case "ip.insert" if body["id"] is None:
                self._insert(self.ips, _block(body["value"]))
            case "rules.insert" if body["id"] is None:
                self._insert(self.rules, _rule(body["value"]))
            case "ip.remove":
                _remove(self.ips, body["id"])
            case "rules.remove":
                _remove(self.rules, body["id"])
            case _:
                raise MalformedError("action")
        return {}

    def set_attack(self, asked: Asked, project: str) -> dict[str, Any]:
        """Raises MalformedError."""
        body = asked.json
        wanted = {"projectId", "attackModeEnabled"}
        if not isinstance(body, dict) or not wanted <= set(body) <= wanted | {"attackModeActiveUntil"}:
            raise MalformedError("body")
        until = body.get("attackModeActiveUntil")
        if body["projectId"] != project or not isinstance(body["attackModeEnabled"], bool):
            raise MalformedError("projectId, attackModeEnabled")
        if until is not None and type(until) is not int:
            raise MalformedError("attackModeActiveUntil")
        self.attack, self.attack_until = body["attackModeEnabled"], until
        return {"attackModeEnabled": self.attack, "attackModeUpdatedAt": 1}

    def _insert(self, entries: list[dict[str, Any]], value: dict[str, Any]) -> None:
        self.made += 1
        entries.append({"id": f"entry_{self.made}", **value})


def _block(value: Any) -> dict[str, Any]:
    block = _keys(value, {"hostname", "ip", "action", "notes"})
    ipaddress.ip_network(block["ip"])  # a ValueError of its own
    if block["action"] not in _ACTIONS or not all(isinstance(each, str) for each in block.values()):
        raise MalformedError("value")
    return block


def _rule(value: Any) -> dict[str, Any]:
    rule = _keys(value, {"name", "active", "conditionGroup", "action"})
    if not isinstance(rule["name"], str) or not 1 <= len(rule["name"]) <= 160:
        raise MalformedError("name")
    for group in rule["conditionGroup"]:
        for condition in _keys(group, {"conditions"})["conditions"]:
            _keys(condition, _PATHS)
    mitigate = _keys(_keys(rule["action"], {"mitigate"})["mitigate"], {"action", "rateLimit"})
    kept = _keys(mitigate["rateLimit"], {"algo", "window", "limit", "keys", "action"})
    numbers = type(kept["window"]) is int and type(kept["limit"]) is int
    if mitigate["action"] != "rate_limit" or not numbers or kept["action"] not in _MITIGATIONS:
        raise MalformedError("mitigate")
    return rule


def _remove(entries: list[dict[str, Any]], entry: Any) -> None:
    found = next((each for each in entries if each["id"] == entry), None)
    if found is None:
        raise LookupError(entry)
    entries.remove(found)


def _keys(value: Any, wanted: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != wanted:
        raise MalformedError(f"not exactly {', '.join(sorted(wanted))}")
    return value
