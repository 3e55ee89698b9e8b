"""Building again what is live, and ending a build that is under way."""

from typing import Any

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import once
from workers.answer import HttpError
from workers.vercel import api
from workers.vercel.api import Deployment, Project

_UNDER_WAY = {"QUEUED", "INITIALIZING", "BUILDING"}
_GIVEN_UP = {"ERROR", "CANCELED", "DELETED"}
_LOOKED_AT = 20
_MARK = "tocsin"
_LOOK_AGAIN_MS = 30_000


def redeploy(step: Step, params: Project) -> dict[str, Any]:
    """{"deployment", "of", "needs_promotion"}: rolling back to `of` takes it back.

    A redeploy that is under way is not begun a second time. With an idempotency key, which the deployment then
    carries, neither is one that is done. `needs_promotion`: after a rollback no new deployment goes live by itself.
    """
    known = api.project(step, params.project)
    of = api.live_id(known)
    if not of:
        raise ActionError(f"{params.project} has no production deployment that could be built again")
    facts = {"of": of, "needs_promotion": api.alias(known)["type"] == "rollback"}

    def look() -> dict[str, Any] | None:
        found = _begun(step, params)
        return {"deployment": found, **facts} if found else None

    def ask() -> dict[str, Any]:
        body = _body(step, str(known.get("name", params.project)), of)
        answer = api.changed(step, "POST", "/v13/deployments", json=body, query={"forceNew": "1"})
        return {"deployment": _id(answer.object() if answer.body else {}), **facts}

    try:
        return once.once(look, ask)
    except HttpError as error:
        raise ActionError(f"Vercel: {error}", outcome=error.outcome) from error


def cancel(step: Step, params: Deployment) -> dict[str, Any]:
    """{"deployment", "status"}. What is canceled already, or has failed, counts as done; what is ready is refused."""

    def look() -> dict[str, Any] | None:
        status = _status(step, params.deployment)
        if status in _UNDER_WAY:
            return None
        if status not in _GIVEN_UP:
            raise ActionError(
                f"{params.deployment} is {status}: there is nothing to cancel; roll back instead"
            )
        return {"deployment": params.deployment, "status": status}

    def ask() -> dict[str, Any]:
        api.changed(step, "PATCH", api.path_of("v12", "deployments", params.deployment, "cancel"))
        return {"deployment": params.deployment, "status": "CANCELED"}

    return once.once(look, ask)


def must_be_ready(step: Step, deployment: str) -> None:
    """Raises ActionError: for now while it is built, for good when that failed."""
    state = _status(step, deployment)
    if state in _UNDER_WAY:
        raise ActionError(
            f"{deployment} is {state} still", outcome=Outcome.TEMPORARY, retry_after_ms=_LOOK_AGAIN_MS
        )
    if state in _GIVEN_UP:
        raise ActionError(f"{deployment} is {state}: there is nothing to promote")


def _begun(step: Step, params: Project) -> str:
    """The redeploy that is under way, or that was begun with this key; "" when there is none."""
    query = {"projectId": params.project, "target": "production", "limit": str(_LOOKED_AT)}
    found = api.asked(api.ask(step, "GET", "/v6/deployments", query=query)).get("deployments")
    for each in api.listed(found):
        told = each.get("meta")
        meta = told if isinstance(told, dict) else {}
        state = each.get("state") or each.get("readyState")
        ours = step.idempotency_key != "" and meta.get(_MARK) == step.idempotency_key
        if (meta.get("action") == "redeploy" and state in _UNDER_WAY) or (ours and state not in _GIVEN_UP):
            return str(each.get("uid", ""))
    return ""


def _status(step: Step, deployment: str) -> str:
    found = api.asked(api.ask(step, "GET", api.path_of("v13", "deployments", deployment)))
    return str(found.get("readyState") or found.get("status") or "")


def _body(step: Step, name: str, of: str) -> dict[str, Any]:
    mark = {_MARK: step.idempotency_key} if step.idempotency_key else {}
    return {"name": name, "deploymentId": of, "target": "production", "meta": {"action": "redeploy", **mark}}


def _id(found: dict[str, Any]) -> str:
    return str(found.get("id") or found.get("uid") or "")


def plan_redeploy(step: Step, params: Project) -> dict[str, Any]:
    return api.would(step, "POST", "/v13/deployments?forceNew=1", json=_body(step, params.project, "(live)"))


def plan_cancel(step: Step, params: Deployment) -> dict[str, Any]:
    return api.would(step, "PATCH", api.path_of("v12", "deployments", params.deployment, "cancel"))
