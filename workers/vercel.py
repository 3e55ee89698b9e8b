"""Vercel's REST API, as far as its actions share it: who asks, what a refusal means, what a project says.

Sources: vercel.com/docs/rest-api (authentication, errors, projects).
"""

from typing import Any

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import http, redaction
from workers.answer import Answer, Call, HttpError
from workers.credentials import NoCredentialsError

BASE_URL = "https://api.vercel.com"
CONFLICT = 409

_ADVICE = {
    401: "check VERCEL_TOKEN",
    402: "the plan does not allow it: the Hobby plan goes back to the previous deployment only",
    403: "the token may not do this; check its scope and team_id in config/actions.yaml",
    404: "check the project and deployment ids, and team_id in config/actions.yaml",
    410: "that deployment was deleted",
    422: "that deployment cannot be rolled back to",
}


def change(step: Step, path: str) -> Answer:
    """POST, unless automation was stopped meanwhile. Returns refusals too. Raises ActionError."""
    if not step.allowed():
        raise ActionError(
            "the kill switch is on, or the lock on the target was lost", outcome=Outcome.REFUSED
        )
    return ask(step, "POST", path)


def ask(step: Step, method: str, path: str, query: dict[str, str] | None = None) -> Answer:
    """Whatever was answered, refusals included. Raises ActionError, NoCredentialsError without a token."""
    token = step.settings.get("token", "")
    if not token:
        raise NoCredentialsError("no Vercel token: set VERCEL_TOKEN")
    team = step.settings.get("team_id", "")
    call = Call(
        method=method,
        url=address(step, path),
        mutates=method != "GET",
        timeout_s=step.timeout_s,
        query={**(query or {}), **({"teamId": team} if team else {})},
        json={} if method != "GET" else None,
        headers={"authorization": f"Bearer {token}"},
    )
    try:
        return http.call(call)
    except HttpError as error:
        raise ActionError(f"Vercel: {error}", outcome=error.outcome) from error


def asked(answer: Answer) -> dict[str, Any]:
    """The object that a read was answered with. Raises ActionError."""
    if not answer.ok:
        raise refused(answer)
    try:
        return answer.object()
    except HttpError as error:
        raise ActionError(f"Vercel: {error}", outcome=error.outcome) from error


def refused(answer: Answer, outcome: Outcome | None = None) -> ActionError:
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
    )


def address(step: Step, path: str) -> str:
    return (step.settings.get("base_url") or BASE_URL).rstrip("/") + path


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
