"""Sentry: which errors come most often just now, where, and since when.

Settings: token (an internal integration's, with event:read), organization, base_url. Without a token every
action is only simulated. Source: docs.sentry.io/api/events/list-an-organizations-issues.
"""

from typing import Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Action, Step
from workers import vendors
from workers.answer import Call
from workers.credentials import NoCredentialsError

TITLE = "Sentry"
SETTINGS = ("token", "organization", "base_url")
SHARED = ("base_url",)

BASE_URL = "https://sentry.io"
_MOST_SHOWN = 20
_ADVICE = {
    400: "check query and period",
    401: "check SENTRY_API_TOKEN",
    403: "the token may not read issues: give it event:read",
    404: "check SENTRY_ORGANIZATION; in an EU region SENTRY_BASE_URL as well",
}


class Issues(BaseModel):
    """`query` in Sentry's own search language; `project` by its slug, `environment` "" for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: str = Field(default="is:unresolved", max_length=1_000)
    project: str = Field(default="", pattern=r"^[a-z0-9_-]{0,100}$")
    environment: str = Field(default="", max_length=64)
    period: str = Field(default="1h", pattern=r"^[1-9]\d{0,3}[mhdw]$")
    sort: Literal["freq", "new", "date", "user"] = "freq"
    limit: int = Field(default=_MOST_SHOWN, ge=1, le=100)


def issues(step: Step, params: Issues) -> dict[str, Any]:
    """{"count", "events": of them together, "users": of the one that hits most, "issues": [{id, title, level,
    culprit, events, users, first_seen, last_seen, link}]}
    """
    token = step.settings.get("token", "")
    if not token:
        raise NoCredentialsError("no Sentry token: set SENTRY_API_TOKEN")
    query = f"{params.query} project:{params.project}".strip() if params.project else params.query
    given = {"query": query, "statsPeriod": params.period, "sort": params.sort, "limit": str(params.limit)}
    call = Call(
        method="GET",
        url=_address(step),
        mutates=False,
        timeout_s=step.timeout_s,
        query={**given, "environment": params.environment} if params.environment else given,
        headers={"authorization": f"Bearer {token}"},
    )
    found = vendors.json_of("Sentry", vendors.ask("Sentry", call, _ADVICE))
    if not isinstance(found, list):
        raise ActionError("Sentry answered with something that is no list", outcome=Outcome.TEMPORARY)
    shown = [_issue(each) for each in found if isinstance(each, dict)]
    return {
        "count": len(shown),
        "events": sum(each["events"] for each in shown),
        "users": max((each["users"] for each in shown), default=0),
        "issues": shown[:_MOST_SHOWN],
    }


def _issue(each: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(each.get("shortId") or each.get("id") or ""),
        "title": str(each.get("title", ""))[:300],
        "level": str(each.get("level", "")),
        "culprit": str(each.get("culprit", ""))[:300],
        "events": _number(each.get("count")),
        "users": _number(each.get("userCount")),
        "first_seen": str(each.get("firstSeen", "")),
        "last_seen": str(each.get("lastSeen", "")),
        "link": str(each.get("permalink", ""))[:500],
    }


def _number(found: Any) -> int:
    """Sentry writes some counts as texts."""
    return int(found) if str(found).isascii() and str(found).isdigit() else 0


def _address(step: Step) -> str:
    organization = step.settings.get("organization", "")
    if not organization:
        raise NoCredentialsError("no Sentry organization: set SENTRY_ORGANIZATION")
    base = (step.settings.get("base_url") or BASE_URL).rstrip("/")
    return f"{base}/api/0/organizations/{quote(organization, safe='')}/issues/"


def _plan(step: Step, params: Issues) -> dict[str, Any]:
    return {"would": {"method": "GET", "url": _address(step), "query": params.query}}


ACTIONS = {
    "issues": Action(params=Issues, mutates=False, run=issues, plan=_plan),
}
