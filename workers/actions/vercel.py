"""Vercel: what is live, going back, promoting, building again; its logs; its firewall; its variables.

Settings: token (an access token), team_id (for a team's projects), base_url, never_block (addresses and networks
that no block may cover), values (secrets by name, for variables). Without a token every action is only simulated.
Sources: vercel.com/docs/rest-api (deployments, projects, promote, security, environment), the Vercel CLI's rollback
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
from workers.blocking import Spared
from workers.vercel import api, attack, builds, firewall, limits, logs, variables
from workers.vercel.api import Project
from workers.vercel.variables import Values

TITLE = "Vercel"
SETTINGS = ("token", "team_id", "base_url", "never_block", "values")
SHARED = ("base_url",)

_UNDER_WAY = {"pending", "in-progress"}
_MINUTE_MS = 60_000
_ADVICE = {
    402: "the plan does not allow it: the Hobby plan goes back to the previous deployment only",
    410: "that deployment was deleted",
    422: "that deployment cannot be rolled back to",
}


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str = ""
    team_id: str = ""
    base_url: str = ""
    never_block: Spared | None = None
    values: Values = {}


class Deployments(Project):
    """`suspect` and `suspect_at` (ms): what the incident knows of the live deployment, for a simulation."""

    limit: int = Field(default=20, ge=2, le=100)
    suspect: str | None = None
    suspect_at: int | None = None


class Rollback(Project):
    to: str = Field(pattern=api.ID)


class Promote(Project):
    deployment: str = Field(pattern=api.ID)


def deployments(step: Step, params: Deployments) -> dict[str, Any]:
    """Which deployment is live, since when, by whom, and which one could be gone back to.

    {"current": {uid, url, created_at, age_minutes, creator} | null, "candidate": {...} | null, "alias": ...}
    """
    known = api.project(step, params.project)
    query = {
        "projectId": params.project,
        "target": "production",
        "state": "READY",
        "limit": str(params.limit),
    }
    found = api.asked(api.ask(step, "GET", "/v6/deployments", query=query)).get("deployments")
    live = api.live_id(known)
    listed = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    current = next((each for each in listed if each.get("uid") == live), None) or api.target(known)
    older = [each for each in listed if _created(each) < _created(current)] if current else listed
    candidate = next((each for each in older if each.get("isRollbackCandidate")), None)
    return {
        "current": _summary(current, step.now) if current else None,
        "candidate": _summary(candidate, step.now) if candidate else None,
        "alias": api.alias(known),
    }


def alias_status(step: Step, params: Project) -> dict[str, Any]:
    """How far the last rollback or promotion is: {status, type, to, from, requested_at, current}."""
    known = api.project(step, params.project)
    return {**api.alias(known), "current": api.live_id(known)}


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
        answer = api.change(step, "POST", path, json={})
    except ActionError as error:
        again = _after_silence(step, params) if error.outcome is Outcome.UNKNOWN else None
        if again:
            return again
        raise
    if answer.status == api.CONFLICT:
        again = _rolled_back(step, params)
        if again:
            return again
        raise api.refused(answer)
    if not answer.ok:
        raise api.refused(answer, _ADVICE)
    return {"requested": True, "to": params.to}


def promote(step: Step, params: Promote) -> dict[str, Any]:
    """Make a deployment the live one, and have new ones go live again. Already live counts as done.

    One that is still being built is a temporary failure, so a step with `attempts` waits for it.
    """
    builds.must_be_ready(step, params.deployment)
    path = f"/v10/projects/{quote(params.project, safe='')}/promote/{quote(params.deployment, safe='')}"
    answer = api.change(step, "POST", path, json={})
    if answer.status == api.CONFLICT:
        return {"already": True, "deployment": params.deployment}
    if not answer.ok:
        raise api.refused(answer, _ADVICE)
    return {"requested": True, "deployment": params.deployment}


def _rolled_back(step: Step, params: Rollback) -> dict[str, Any] | None:
    known = api.project(step, params.project)
    alias = api.alias(known)
    if api.live_id(known) == params.to:
        return {"already": True, "to": params.to}
    if alias["type"] == "rollback" and alias["to"] == params.to and alias["status"] in _UNDER_WAY:
        return {"already": True, "to": params.to, "status": alias["status"]}
    return None


def _after_silence(step: Step, params: Rollback) -> dict[str, Any] | None:
    """Whether the call that was not answered has had its effect; None as well when nobody can tell."""
    with suppress(ActionError):
        return _rolled_back(step, params)
    return None


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


def _plan_deployments(step: Step, params: Deployments) -> dict[str, Any]:
    suspect = params.suspect or "dpl_sandbox_current"
    created = params.suspect_at or step.now
    current = {"uid": suspect, "created": created}
    candidate = {"uid": "dpl_sandbox_candidate", "created": created - 60 * _MINUTE_MS}
    return {
        **api.would(step, "GET", f"/v6/deployments?projectId={quote(params.project)}&target=production"),
        "current": _summary(current, step.now),
        "candidate": _summary(candidate, step.now),
    }


ACTIONS = {
    "deployments": Action(params=Deployments, mutates=False, run=deployments, plan=_plan_deployments),
    "alias_status": Action(
        params=Project,
        mutates=False,
        run=alias_status,
        plan=lambda step, params: api.would(step, "GET", f"/v9/projects/{quote(params.project)}"),
    ),
    "rollback": Action(
        params=Rollback,
        mutates=True,
        run=rollback,
        undo="vercel.promote",
        plan=lambda step, params: api.would(
            step, "POST", f"/v1/projects/{quote(params.project)}/rollback/{quote(params.to)}"
        ),
    ),
    "promote": Action(
        params=Promote,
        mutates=True,
        run=promote,
        plan=lambda step, params: api.would(
            step, "POST", f"/v10/projects/{quote(params.project)}/promote/{quote(params.deployment)}"
        ),
    ),
    "redeploy": Action(
        params=Project, mutates=True, run=builds.redeploy, undo="vercel.rollback", plan=builds.plan_redeploy
    ),
    "cancel": Action(params=api.Deployment, mutates=True, run=builds.cancel, plan=builds.plan_cancel),
    "build_log": Action(params=logs.BuildLog, mutates=False, run=logs.build_log, plan=logs.plan_build),
    "runtime_log": Action(
        params=logs.RuntimeLog, mutates=False, run=logs.runtime_log, plan=logs.plan_runtime
    ),
    "block_ip": Action(
        params=firewall.BlockIp,
        mutates=True,
        run=firewall.block_ip,
        undo="vercel.unblock_ip",
        plan=firewall.plan_block,
    ),
    "unblock_ip": Action(
        params=firewall.Remove, mutates=True, run=firewall.unblock_ip, plan=firewall.plan_unblock
    ),
    "rate_limit": Action(
        params=limits.RateLimit,
        mutates=True,
        run=limits.rate_limit,
        undo="vercel.lift_rate_limit",
        plan=limits.plan_limit,
    ),
    "lift_rate_limit": Action(
        params=firewall.Remove, mutates=True, run=limits.lift_rate_limit, plan=limits.plan_lift
    ),
    "attack_mode": Action(
        params=attack.AttackMode,
        mutates=True,
        run=attack.attack_mode,
        undo="vercel.attack_mode",
        plan=attack.plan,
    ),
    "variable": Action(
        params=variables.Variable, mutates=False, run=variables.variable, plan=variables.plan_variable
    ),
    "set_env": Action(
        params=variables.SetEnv,
        mutates=True,
        run=variables.set_env,
        undo="vercel.set_env",
        plan=variables.plan,
    ),
}
