"""API keys: a new one is made before the old one goes. Neither is asked for in the clear here, nor put out."""

from typing import Any

from pydantic import Field

from routing.errors import ActionError
from routing.ports import Step
from workers import once
from workers.supabase import api
from workers.supabase.api import Project
from workers.supabase.trying import NAME

_PATH = "api-keys"
_KINDS = {"publishable", "secret"}


class RotateKey(Project):
    """`key` and `new` are names. Only with `revoke` the old one is deleted; who still uses it is locked out."""

    key: str = Field(pattern=NAME)
    new: str = Field(pattern=NAME)
    revoke: bool = False
    compromised: bool = False
    reason: str = Field(default="", max_length=200)


def rotate_key(step: Step, params: RotateKey) -> dict[str, Any]:
    """{"made", "revoked", "new": {"id", "name", "type", "prefix"}, "affects": keys that were deleted}.

    Each half is looked for first, so that a repeat goes on where it stopped.
    """
    old = _find(step, params, params.key)
    new = _find(step, params, params.new)
    if new is None and old is None:
        raise ActionError(f"there is no key {params.key}, and none {params.new}")
    made = new is None
    if new is None:
        new = once.settled(lambda: _find(step, params, params.new), lambda: _make(step, params, old or {}))
    revoked = bool(params.revoke and old)
    if old is not None and params.revoke:
        _revoke(step, params, str(old.get("id", "")))
    return {"made": made, "revoked": revoked, "new": _shown(new), "affects": int(revoked)}


def _find(step: Step, params: RotateKey, name: str) -> dict[str, Any] | None:
    listed = api.read_list(step, api.address(step, params, _PATH))
    return next((each for each in listed if each.get("name") == name), None)


def _make(step: Step, params: RotateKey, old: dict[str, Any]) -> dict[str, Any]:
    """Of the old one's kind and rights."""
    kind = old.get("type")
    if kind not in _KINDS:
        raise ActionError(
            f"{params.key} is a {kind} key: make publishable and secret ones, and disable those"
        )
    template = old.get("secret_jwt_template")
    rights = {"secret_jwt_template": template} if isinstance(template, dict) else {}
    body = {"type": kind, "name": params.new, **rights}
    return api.an_object(api.change(step, "POST", api.address(step, params, _PATH), body))


def _revoke(step: Step, params: RotateKey, key: str) -> None:
    query: dict[str, str | list[str]] = {"was_compromised": str(params.compromised).lower()}
    if params.reason:
        query["reason"] = params.reason

    def ask() -> dict[str, Any]:
        api.change(step, "DELETE", api.address(step, params, _PATH, key), query=query)
        return {}

    once.settled(lambda: None if _find(step, params, params.key) else {}, ask)


def _shown(key: dict[str, Any]) -> dict[str, str]:
    return {name: str(key.get(name) or "") for name in ("id", "name", "type", "prefix")}


def plan(step: Step, params: RotateKey) -> dict[str, Any]:
    revoke = {"revokes": params.key} if params.revoke else {}
    return api.would(step, params, "POST", _PATH, json={"name": params.new}, **revoke)
