"""Vercel: what is live, going back to what was live before, and promoting again.

Settings: token (an access token), team_id (for a team's projects), base_url. Without a token every action is
only simulated. Sources: vercel.com/docs/rest-api (deployments, projects, promote), the Vercel CLI's rollback
command (rollback and `lastAliasRequest`).

After a rollback Vercel no longer assigns production domains to new deployments until something is promoted:
every rollback leaves "promote again" behind.
"""

from contextlib import suppress
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Action, Step
from workers import vercel

TITLE = "Vercel"
SETTINGS = ("token", "team_id", "base_url")

_UNDER_WAY = {"pending", "in-progress"}
_MINUTE_MS = 60_000
_ID = r"^[A-Za-z0-9_.-]{1,128}$"


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
    found = vercel.asked(vercel.ask(step, "GET", "/v6/deployments", query=query)).get("deployments")
    live = vercel.live_id(known)
    listed = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    current = next((each for each in listed if each.get("uid") == live), None) or vercel.target(known)
    older = [each for each in listed if _created(each) < _created(current)] if current else listed
    candidate = next((each for each in older if each.get("isRollbackCandidate")), None)
    return {
        "current": _summary(current, step.now) if current else None,
        "candidate": _summary(candidate, step.now) if candidate else None,
        "alias": vercel.alias(known),
    }


def alias_status(step: Step, params: Project) -> dict[str, Any]:
    """How far the last rollback or promotion is: {status, type, to, from, requested_at, current}."""
    known = _project(step, params.project)
    return {**vercel.alias(known), "current": vercel.live_id(known)}


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
        answer = vercel.change(step, path)
    except ActionError as error:
        again = _after_silence(step, params) if error.outcome is Outcome.UNKNOWN else None
        if again:
            return again
        raise
    if answer.status == vercel.CONFLICT:
        again = _rolled_back(step, params)
        if again:
            return again
        raise vercel.refused(answer, Outcome.TEMPORARY)
    if not answer.ok:
        raise vercel.refused(answer)
    return {"requested": True, "to": params.to}


def promote(step: Step, params: Promote) -> dict[str, Any]:
    """Make a deployment the live one, and have new ones go live again. Already live counts as done."""
    path = f"/v10/projects/{quote(params.project, safe='')}/promote/{quote(params.deployment, safe='')}"
    answer = vercel.change(step, path)
    if answer.status == vercel.CONFLICT:
        return {"already": True, "deployment": params.deployment}
    if not answer.ok:
        raise vercel.refused(answer)
    return {"requested": True, "deployment": params.deployment}


def _rolled_back(step: Step, params: Rollback) -> dict[str, Any] | None:
    known = _project(step, params.project)
    alias = vercel.alias(known)
    if vercel.live_id(known) == params.to:
        return {"already": True, "to": params.to}
    if alias["type"] == "rollback" and alias["to"] == params.to and alias["status"] in _UNDER_WAY:
        return {"already": True, "to": params.to, "status": alias["status"]}
    return None


def _after_silence(step: Step, params: Rollback) -> dict[str, Any] | None:
    """Whether the call that was not answered has had its effect; None as well when nobody can tell."""
    with suppress(ActionError):
        return _rolled_back(step, params)
    return None


def _project(step: Step, project: str) -> dict[str, Any]:
    return vercel.asked(vercel.ask(step, "GET", f"/v9/projects/{quote(project, safe='')}"))


def _summary(deployment: dict[str, Any], now: int) -> dict[str, Any]:
    created = _created(deployment)
    creator = deployment.get("creator")
    who = creator if isinstance(creator, dict) else {}
    return {
        "uid": str(deployment.get("uid", "")),
        "url": str(deployment.get("url", "")),
        "created_at": created,
        "age_minutes": max(0, (now - _live_since(deployment)) // _MINUTE_MS),
        "creator": str(who.get("username") or who.get("githubLogin") or ""),
    }


def _created(deployment: dict[str, Any]) -> int:
    created = deployment.get("created") or deployment.get("createdAt") or 0
    return int(created) if isinstance(created, int | float) else 0


def _live_since(deployment: dict[str, Any]) -> int:
    """A deployment may be promoted long after it was built. `aliasAssigned` is an instant, or just true."""
    assigned = deployment.get("aliasAssigned")
    return max(_created(deployment), int(assigned) if isinstance(assigned, int | float) else 0)


def _would(step: Step, method: str, path: str) -> dict[str, Any]:
    return {"would": {"method": method, "url": vercel.address(step, path)}}


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
