"""Addresses that are kept out. Only what is marked as ours is ever taken back.

A block carries `note`, by which a repeat of the same step knows it again; somebody else's block is left alone.
"""

from collections.abc import Callable
from typing import Any

from pydantic import Field, field_validator

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import blocking, once
from workers.vercel import api
from workers.vercel.api import Project

PATH = "/v1/security/firewall/config"
MARK = "tocsin: "
_ACTIVE = f"{PATH}/active"
_WIDEST = {4: 24, 6: 48}
"""Prefix lengths: who blocks more at once blocks bystanders."""


class BlockIp(Project):
    """`ip`: an address, or a network of at most a /24 or a /48."""

    ip: str = Field(max_length=64)
    note: str = Field(default="", max_length=150)

    @field_validator("ip")
    @classmethod
    def _address(cls, text: str) -> str:
        network = blocking.network(text)
        if network.prefixlen < _WIDEST[network.version]:
            raise ValueError(f"a network wider than /{_WIDEST[network.version]}")
        return blocking.written(network)


class Remove(Project):
    """`id`: what was put out when it was made; "" when that was somebody else's, which is left alone."""

    id: str = Field(default="", pattern=rf"^$|{api.ID}")


def block_ip(step: Step, params: BlockIp) -> dict[str, Any]:
    """{"ip", "id", "affects": how many addresses}. Blocked already by somebody else: `already`, with "" as id.

    Never an address that is not public, nor one of the setting `never_block`.
    """
    blocking.check(blocking.network(params.ip), step.settings.get("never_block"), "vercel")
    note = f"{MARK}{params.note}"

    def look() -> dict[str, Any] | None:
        denied = [each for each in blocks(step, params.project) if _same(each, params.ip)]
        ours = next((each for each in denied if each.get("notes") == note), None)
        return _blocked(params.ip, ours) if denied else None

    def ask() -> dict[str, Any]:
        insert(step, params.project, "ip.insert", _entry(params))
        return look() or _blocked(params.ip, None)

    return once.once(look, ask)


def unblock_ip(step: Step, params: Remove) -> dict[str, Any]:
    """{"id"}. What is gone already counts as done; what we did not make is refused."""
    return remove(step, params, "ip.remove", lambda: blocks(step, params.project), "notes")


def remove(
    step: Step, params: Remove, action: str, entries: Callable[[], list[dict[str, Any]]], mark: str
) -> dict[str, Any]:
    """Take back an entry of ours, which bears MARK in its field `mark`."""

    def look() -> dict[str, Any] | None:
        found = next((each for each in entries() if each.get("id") == params.id), None) if params.id else None
        if found is None:
            return {"id": params.id}
        if not str(found.get(mark, "")).startswith(MARK):
            raise ActionError(f"{params.id} was not made by Tocsin", outcome=Outcome.REFUSED)
        return None

    def ask() -> dict[str, Any]:
        body = {"action": action, "id": params.id, "value": None}
        api.changed(step, "PATCH", PATH, json=body, query={"projectId": params.project})
        return {"id": params.id}

    return once.once(look, ask)


def insert(step: Step, project: str, action: str, value: dict[str, Any]) -> None:
    body = {"action": action, "id": None, "value": value}
    api.changed(step, "PATCH", PATH, json=body, query={"projectId": project})


def config(step: Step, project: str) -> dict[str, Any]:
    """What holds now; {} for a project that never had any."""
    answer = api.ask(step, "GET", _ACTIVE, query={"projectId": project})
    return {} if answer.status == api.NOT_FOUND else api.asked(answer)


def blocks(step: Step, project: str) -> list[dict[str, Any]]:
    return [each for each in api.listed(config(step, project).get("ips")) if each.get("action") == "deny"]


def _same(entry: dict[str, Any], ip: str) -> bool:
    try:
        return blocking.written(blocking.network(str(entry.get("ip")))) == ip
    except ValueError:
        return False


def _entry(params: BlockIp) -> dict[str, str]:
    return {"hostname": "*", "ip": params.ip, "action": "deny", "notes": f"{MARK}{params.note}"}


def _blocked(ip: str, entry: dict[str, Any] | None) -> dict[str, Any]:
    return {"ip": ip, "id": str((entry or {}).get("id", "")), "affects": blocking.network(ip).num_addresses}


def plan_block(step: Step, params: BlockIp) -> dict[str, Any]:
    body = {"action": "ip.insert", "id": None, "value": _entry(params)}
    return {**api.would(step, "PATCH", PATH, json=body), "affects": blocking.network(params.ip).num_addresses}


def plan_unblock(step: Step, params: Remove) -> dict[str, Any]:
    return api.would(step, "PATCH", PATH, json={"action": "ip.remove", "id": params.id, "value": None})
