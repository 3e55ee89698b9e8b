"""Vercel: what is live, going back to what was live before, and promoting again.

Settings: token (an access token), team_id (for a team's projects), base_url. Without a token every action is
only simulated. Sources: vercel.com/docs/rest-api (deployments, projects, promote), the Vercel CLI's rollback
command (rollback and `lastAliasRequest`).

After a rollback Vercel no longer assigns production domains to new deployments until something is promoted:
every rollback leaves "promote again" behind.
"""

from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Action, Step
from workers import http, redaction
from workers.answer import Answer, Call, HttpError
from workers.credentials import NoCredentialsError

TITLE = "Vercel"
SETTINGS = ("token", "team_id", "base_url")
BASE_URL = "https://api.vercel.com"

_UNDER_WAY = {"pending", "in-progress"}
_MINUTE_MS = 60_000
_ID = r"^[A-Za-z0-9_.-]{1,128}$"
_CONFLICT = 409

_ADVICE = {
    401: "check VERCEL_TOKEN",
    402: "the plan does not allow it: the Hobby plan goes back to the previous deployment only",
    403: "the token may not do this; check its scope and team_id in config/actions.yaml",
    404: "check the project and deployment ids, and team_id in config/actions.yaml",
    410: "that deployment was deleted",
    422: "that deployment cannot be rolled back to",
}


class Project(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str = Field(pattern=_ID)


class Deployments(Project):
    """`suspect` and `suspect_at` (ms): what the incident knows of the live deployment, for a simulation."""

    limit: int = Field(default=20, ge=2, le=100)
    suspect: str | None = None
    suspect_at: int | None = None


class Rollback(Project):
    to: str = Field(pattern=_ID)


class Promote(Project):
    deployment: str = Field(pattern=_ID)


def deployments(step: Step, params: Deployments) -> dict[str, Any]:
    """Which deployment is live, since when, by whom, and which one could be gone back to.

    {"current": {uid, url, created_at, age_minutes, creator} | null, "candidate": {...} | null, "alias": ...}
    """
    known = _project(step, params.project)
    query = {
        "projectId": params.project,
        "target": "production",
        "state": "READY",
        "limit": str(params.limit),
    }
    found = _asked(_ask(step, "GET", "/v6/deployments", query=query))["deployments"]
    live = _live(known)
    listed = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    current = next((each for each in listed if each.get("uid") == live), None) or _target(known)
    older = [each for each in listed if _created(each) < _created(current)] if current else listed
    candidate = next((each for each in older if each.get("isRollbackCandidate")), None)
    return {
        "current": _summary(current, step.now) if current else None,
        "candidate": _summary(candidate, step.now) if candidate else None,
        "alias": _alias(known),
    }


def alias_status(step: Step, params: Project) -> dict[str, Any]:
    """How far the last rollback or promotion is: {status, type, to, from, requested_at, current}."""
    known = _project(step, params.project)
    return {**_alias(known), "current": _live(known)}


def rollback(step: Step, params: Rollback) -> dict[str, Any]:
    """Point the production domains at an earlier deployment.

    The state is read first: a rollback to it that is done or under way is not asked for again. Vercel knows
    no idempotency key, so after silence the state is read once more before anybody calls it a failure.
    """
    already = _rolled_back(step, params)
    if already:
        return already
    path = f"/v1/projects/{quote(params.project, safe='')}/rollback/{quote(params.to, safe='')}"
    try:
        answer = _change(step, path)
    except ActionError as error:
        again = _rolled_back(step, params) if error.outcome is Outcome.UNKNOWN else None
        if again:
            return again
        raise
    if answer.status == _CONFLICT:
        again = _rolled_back(step, params)
        if again:
            return again
        raise _refused(answer, Outcome.TEMPORARY)
    if not answer.ok:
        raise _refused(answer)
    return {"requested": True, "to": params.to}


def promote(step: Step, params: Promote) -> dict[str, Any]:
    """Make a deployment the live one, and have new ones go live again. Already live counts as done."""
    path = f"/v10/projects/{quote(params.project, safe='')}/promote/{quote(params.deployment, safe='')}"
    answer = _change(step, path)
    if answer.status == _CONFLICT:
        return {"already": True, "deployment": params.deployment}
    if not answer.ok:
        raise _refused(answer)
    return {"requested": True, "deployment": params.deployment}


def _rolled_back(step: Step, params: Rollback) -> dict[str, Any] | None:
    known = _project(step, params.project)
    alias = _alias(known)
    if _live(known) == params.to:
        return {"already": True, "to": params.to}
    if alias["type"] == "rollback" and alias["to"] == params.to and alias["status"] in _UNDER_WAY:
        return {"already": True, "to": params.to, "status": alias["status"]}
    return None


def _project(step: Step, project: str) -> dict[str, Any]:
    return _asked(_ask(step, "GET", f"/v9/projects/{quote(project, safe='')}"))


def _target(project: dict[str, Any]) -> dict[str, Any] | None:
    targets = project.get("targets")
    live = targets.get("production") if isinstance(targets, dict) else None
    return {"uid": live.get("id"), **live} if isinstance(live, dict) else None


def _live(project: dict[str, Any]) -> str:
    """Id of the deployment that the production domains lead to; "" when there is none."""
    target = _target(project)
    return str(target["uid"] or "") if target else ""


def _alias(project: dict[str, Any]) -> dict[str, Any]:
    found = project.get("lastAliasRequest")
    asked = found if isinstance(found, dict) else {}
    return {
        "status": str(asked.get("jobStatus", "none")),
        "type": str(asked.get("type", "")),
        "to": str(asked.get("toDeploymentId", "")),
        "from": str(asked.get("fromDeploymentId", "")),
        "requested_at": asked.get("requestedAt", 0),
    }


def _summary(deployment: dict[str, Any], now: int) -> dict[str, Any]:
    created = _created(deployment)
    creator = deployment.get("creator")
    who = creator if isinstance(creator, dict) else {}
    return {
        "uid": str(deployment.get("uid", "")),
        "url": str(deployment.get("url", "")),
        "created_at": created,
        "age_minutes": max(0, (now - created) // _MINUTE_MS),
        "creator": str(who.get("username") or who.get("githubLogin") or ""),
    }


def _created(deployment: dict[str, Any]) -> int:
    created = deployment.get("created") or deployment.get("createdAt") or 0
    return int(created) if isinstance(created, int | float) else 0


def _change(step: Step, path: str) -> Answer:
    """POST, unless automation was stopped meanwhile. Returns refusals too. Raises ActionError."""
    if not step.allowed():
        raise ActionError("stopped right before the call", outcome=Outcome.REFUSED, request=f"POST {path}")
    return _ask(step, "POST", path)


def _ask(step: Step, method: str, path: str, query: dict[str, str] | None = None) -> Answer:
    token = step.settings.get("token", "")
    if not token:
        raise NoCredentialsError("no Vercel token: set VERCEL_TOKEN")
    team = step.settings.get("team_id", "")
    call = Call(
        method=method,
        url=_base(step) + path,
        mutates=method != "GET",
        timeout_s=step.timeout_s,
        query={**(query or {}), **({"teamId": team} if team else {})},
        json={} if method != "GET" else None,
        headers={"authorization": f"Bearer {token}"},
    )
    try:
        return http.call(call)
    except HttpError as error:
        raise ActionError(f"Vercel: {error}", outcome=error.outcome, request=str(call)) from error


def _asked(answer: Answer) -> dict[str, Any]:
    """The object that a read was answered with. Raises ActionError."""
    if not answer.ok:
        raise _refused(answer)
    try:
        return answer.object()
    except HttpError as error:
        raise ActionError(f"Vercel: {error}", outcome=error.outcome, request=str(answer.call)) from error


def _refused(answer: Answer, outcome: Outcome | None = None) -> ActionError:
    """Vercel's {"error": {"code", "message"}} in words."""
    try:
        fault = answer.object().get("error")
    except HttpError:
        fault = None
    said = str(fault.get("message", "")) if isinstance(fault, dict) else ""
    words = [f"{answer}", redaction.text(said)[:200], _ADVICE.get(answer.status, "")]
    return ActionError(
        "Vercel: " + "; ".join(word for word in words if word),
        outcome=outcome or answer.outcome,
        retry_after_ms=answer.retry_after_ms,
        request=str(answer.call),
    )


def _base(step: Step) -> str:
    return (step.settings.get("base_url") or BASE_URL).rstrip("/")


def _would(step: Step, method: str, path: str) -> dict[str, Any]:
    return {"would": {"method": method, "url": _base(step) + path}}


def _plan_deployments(step: Step, params: Deployments) -> dict[str, Any]:
    suspect = params.suspect or "dpl_sandbox_current"
    created = params.suspect_at or step.now
    current = {"uid": suspect, "created": created}
    candidate = {"uid": "dpl_sandbox_candidate", "created": created - 60 * _MINUTE_MS}
    return {
        **_would(step, "GET", f"/v6/deployments?projectId={quote(params.project)}&target=production"),
        "current": _summary(current, step.now),
        "candidate": _summary(candidate, step.now),
    }


ACTIONS = {
    "deployments": Action(params=Deployments, mutates=False, run=deployments, plan=_plan_deployments),
    "alias_status": Action(
        params=Project,
        mutates=False,
        run=alias_status,
        plan=lambda step, params: _would(step, "GET", f"/v9/projects/{quote(params.project)}"),
    ),
    "rollback": Action(
        params=Rollback,
        mutates=True,
        run=rollback,
        undo="vercel.promote",
        plan=lambda step, params: _would(
            step, "POST", f"/v1/projects/{quote(params.project)}/rollback/{quote(params.to)}"
        ),
    ),
    "promote": Action(
        params=Promote,
        mutates=True,
        run=promote,
        plan=lambda step, params: _would(
            step, "POST", f"/v10/projects/{quote(params.project)}/promote/{quote(params.deployment)}"
        ),
    ),
}
