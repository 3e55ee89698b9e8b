"""Supabase's management API, as far as its actions share it: who asks, about which project, what a refusal means.

120 requests a minute per person, project and endpoint; each answer says in X-RateLimit-Reset after how many
seconds there are new ones.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import http, redaction
from workers.answer import MAX_BYTES, Answer, Call, HttpError
from workers.credentials import NoCredentialsError
from workers.once import ConflictError, seconds

BASE_URL = "https://api.supabase.com"
CONFLICT = 409
NOT_FOUND = 404

_ADVICE = {
    400: "it is not accepted as it stands",
    401: "check SUPABASE_ACCESS_TOKEN: it may have expired or been revoked",
    402: "the organization's plan does not allow it",
    403: "the token may not do this: its account needs the Administrator role, or the token the scope",
    404: "check the project's ref: ref in the runbook, or SUPABASE_PROJECT_REF",
    409: "something else is under way on this project",
    422: "a value is outside what Supabase takes",
    429: "asked too often: 120 requests a minute per project and endpoint, 30 for logs",
}
_MAX_SAID = 300


class Project(BaseModel):
    """`ref`: the 20 letters of the project's address; "" for the one of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ref: str = Field(default="", pattern=r"^([a-z]{20})?$")


def ask(
    step: Step,
    method: str,
    url: str,
    *,
    mutates: bool = False,
    query: Mapping[str, str | list[str]] | None = None,
    json: Any = None,
) -> Answer:
    """Whatever was answered, refusals included. Raises ActionError, NoCredentialsError without a token."""
    token = step.settings.get("token", "")
    if not token:
        raise NoCredentialsError("no Supabase token: set SUPABASE_ACCESS_TOKEN")
    call = Call(
        method=method,
        url=url,
        mutates=mutates,
        timeout_s=seconds(step, mutates=mutates),
        query=query or {},
        json=json,
        headers={"authorization": f"Bearer {token}"},
    )
    try:
        return http.call(call)
    except HttpError as error:
        raise ActionError(f"Supabase: {error}", outcome=error.outcome) from error


def change(
    step: Step, method: str, url: str, json: Any = None, query: Mapping[str, str | list[str]] | None = None
) -> Answer:
    """Change something, unless automation was stopped meanwhile. Raises ActionError for refusals as well."""
    if not step.allowed():
        raise ActionError(
            "the kill switch is on, or the lock on the target was lost", outcome=Outcome.REFUSED
        )
    return taken(ask(step, method, url, mutates=True, json=json, query=query))


def read(step: Step, url: str, query: Mapping[str, str | list[str]] | None = None) -> dict[str, Any]:
    """The object that a look was answered with. Raises ActionError."""
    return an_object(taken(ask(step, "GET", url, query=query)))


def read_list(
    step: Step, url: str, query: Mapping[str, str | list[str]] | None = None
) -> list[dict[str, Any]]:
    """The objects that a look was answered with. Raises ActionError."""
    return objects(taken(ask(step, "GET", url, query=query)))


def taken(answer: Answer) -> Answer:
    """Itself when it is no refusal. Raises ActionError."""
    if not answer.ok:
        raise refused(answer)
    return answer


def rows(answer: Answer) -> list[dict[str, Any]]:
    """What SQL was answered with. Raises ActionError for refusals as well."""
    return objects(taken(answer))


def an_object(answer: Answer) -> dict[str, Any]:
    """Raises ActionError when the body is none."""
    try:
        return answer.object()
    except HttpError as error:
        raise _garbled(answer, error) from error


def objects(answer: Answer) -> list[dict[str, Any]]:
    """The body as a list of objects; what else is in it is left out. Raises ActionError when it is no list."""
    try:
        found = answer.json()
    except HttpError as error:
        raise _garbled(answer, error) from error
    if not isinstance(found, list):
        unsure = Outcome.UNKNOWN if answer.call.mutates else Outcome.TEMPORARY
        raise ActionError(f"Supabase: {answer} with JSON that is not a list", outcome=unsure)
    return [each for each in found if isinstance(each, dict)]


def refused(answer: Answer) -> ActionError:
    """Supabase's {"message"} in words, with what to do about it."""
    try:
        said = str(answer.object().get("message", ""))
    except HttpError:
        said = ""
    words = [f"{answer}", redaction.text(said)[:_MAX_SAID], _ADVICE.get(answer.status, "")]
    reason = "Supabase: " + "; ".join(word for word in words if word)
    if answer.status == CONFLICT:
        return ConflictError(reason, retry_after_ms=answer.retry_after_ms)
    return ActionError(reason, outcome=answer.outcome, retry_after_ms=answer.retry_after_ms)


def address(step: Step, project: Project, *parts: str) -> str:
    """URL of something of the project. Raises ActionError when nothing names the project."""
    ref = project.ref or step.settings.get("ref", "")
    if not ref:
        raise ActionError("no project: set SUPABASE_PROJECT_REF, or ref in the runbook")
    return _url(step, ref, parts)


def would(step: Step, project: Project, method: str, *parts: str, **more: Any) -> dict[str, dict[str, Any]]:
    """What a dry run says instead; also without a project."""
    ref = project.ref or step.settings.get("ref", "") or "(ref)"
    return {"would": {"method": method, "url": _url(step, ref, parts), **more}}


def _url(step: Step, ref: str, parts: tuple[str, ...]) -> str:
    base = (step.settings.get("base_url") or BASE_URL).rstrip("/")
    path = [quote(part, safe="/.-") for part in ("v1", "projects", ref, *parts)]
    return "/".join([base, *path])


def _garbled(answer: Answer, error: HttpError) -> ActionError:
    cut = f", cut at {MAX_BYTES} bytes: ask for less" if len(answer.body) >= MAX_BYTES else ""
    return ActionError(f"Supabase: {error}{cut}", outcome=error.outcome)
