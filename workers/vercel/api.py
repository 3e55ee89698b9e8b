"""Vercel's REST API, as far as its actions share it: who asks, what a refusal means, what a project says.

Sources: vercel.com/docs/rest-api (authentication, errors, projects).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import http, redaction
from workers.answer import Answer, Call, HttpError
from workers.credentials import NoCredentialsError
from workers.once import ConflictError, seconds

BASE_URL = "https://api.vercel.com"
CONFLICT = 409
NOT_FOUND = 404

ID = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"
"""Of a project, a deployment, a rule; no dot in front, so that none is a way up in a path."""

_ADVICE = {
    400: "it is not accepted as it stands",
    401: "check VERCEL_TOKEN",
    402: "the plan does not allow it, or a payment is due",
    403: "the token may not do this; check its scope and team_id in config/actions.yaml",
    404: "check the project and deployment ids, and team_id in config/actions.yaml",
    409: "something else is under way on this project",
    429: "asked too often",
}


class Project(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str = Field(pattern=ID)


class Deployment(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    deployment: str = Field(pattern=ID)


def change(
    step: Step, method: str, path: str, *, json: Any = None, query: dict[str, str] | None = None
) -> Answer:
    """Ask, unless automation was stopped meanwhile. Returns refusals too. Raises ActionError."""
    if not step.allowed():
        raise ActionError(
            "the kill switch is on, or the lock on the target was lost", outcome=Outcome.REFUSED
        )
    return ask(step, method, path, query=query, json=json)


def changed(
    step: Step, method: str, path: str, *, json: Any = None, query: dict[str, str] | None = None
) -> Answer:
    """The same, with refusals as errors: ConflictError for a 409."""
    return taken(change(step, method, path, json=json, query=query))


def ask(
    step: Step,
    method: str,
    path: str,
    *,
    query: dict[str, str] | None = None,
    json: Any = None,
    listen_s: float = 0,
) -> Answer:
    """Whatever was answered, refusals included. Raises ActionError, NoCredentialsError without a token."""
    token = step.settings.get("token", "")
    if not token:
        raise NoCredentialsError("no Vercel token: set VERCEL_TOKEN")
    team = step.settings.get("team_id", "")
    call = Call(
        method=method,
        url=address(step, path),
        mutates=method != "GET",
        timeout_s=seconds(step, mutates=method != "GET"),
        query={**(query or {}), **({"teamId": team} if team else {})},
        json=json,
        headers={"authorization": f"Bearer {token}"},
        listen_s=listen_s,
    )
    try:
        return http.call(call)
    except HttpError as error:
        raise ActionError(f"Vercel: {error}", outcome=error.outcome) from error


def asked(answer: Answer) -> dict[str, Any]:
    """The object that a read was answered with. Raises ActionError."""
    try:
        return taken(answer).object()
    except HttpError as error:
        raise ActionError(f"Vercel: {error}", outcome=error.outcome) from error


def taken(answer: Answer) -> Answer:
    """Itself when it is no refusal. Raises ActionError."""
    if not answer.ok:
        raise refused(answer)
    return answer


def listed(found: Any) -> list[dict[str, Any]]:
    """The objects in what should be a list of them."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def refused(answer: Answer, advice: Mapping[int, str] | None = None) -> ActionError:
    """Vercel's {"error": {"code", "message"}} in words; `advice` by status goes before the general one."""
    try:
        fault = answer.object().get("error")
    except HttpError:
        fault = None
    said = str(fault.get("message", "")) if isinstance(fault, dict) else ""
    words = [f"{answer}", redaction.text(said)[:200], {**_ADVICE, **(advice or {})}.get(answer.status, "")]
    reason = "Vercel: " + "; ".join(word for word in words if word)
    if answer.status == CONFLICT:
        return ConflictError(reason, retry_after_ms=answer.retry_after_ms)
    return ActionError(reason, outcome=answer.outcome, retry_after_ms=answer.retry_after_ms)


def address(step: Step, path: str) -> str:
    return (step.settings.get("base_url") or BASE_URL).rstrip("/") + path


def path_of(*parts: str) -> str:
    """The path with every part quoted."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def would(step: Step, method: str, path: str, **more: Any) -> dict[str, Any]:
    """What a dry run says instead."""
    return {"would": {"method": method, "url": address(step, path), **more}}


def project(step: Step, name: str) -> dict[str, Any]:
    """What is told of it. Raises ActionError."""
    return asked(ask(step, "GET", path_of("v9", "projects", name)))


def target(project: dict[str, Any]) -> dict[str, Any] | None:
    """The deployment that the production domains lead to, as far as the project tells."""
    targets = project.get("targets")
    live = targets.get("production") if isinstance(targets, dict) else None
    return {"uid": live.get("id"), **live} if isinstance(live, dict) else None


def live_id(project: dict[str, Any]) -> str:
    """Its id; "" when there is none."""
    found = target(project)
    return str(found["uid"] or "") if found else ""


def alias(project: dict[str, Any]) -> dict[str, Any]:
    """The last rollback or promotion: {status, type, to, from, requested_at}; status "none" before any."""
    found = project.get("lastAliasRequest")
    last = found if isinstance(found, dict) else {}
    return {
        "status": str(last.get("jobStatus", "none")),
        "type": str(last.get("type", "")),
        "to": str(last.get("toDeploymentId", "")),
        "from": str(last.get("fromDeploymentId", "")),
        "requested_at": last.get("requestedAt", 0),
    }
