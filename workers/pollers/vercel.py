"""Vercel: deployments that ended without our hearing of it.

It keeps no list of what it could not deliver; but what a deployment came to is there to be read, and is told as the
webhook would have told it. An event of a deployment comes once, so that it is known again whichever way it came.
Source: vercel.com/docs/rest-api (deployments).
"""

from collections.abc import Container, Iterator, Mapping
from typing import Any, Literal

import orjson
from pydantic import Field, SecretStr

from routing.instant import HOUR, MINUTE
from routing.ports import Missed, Page, Step, Window
from workers.polling import Polling, number, text
from workers.vercel import api

TITLE = "Vercel"
GRACE_MS = 2 * MINUTE
OVERLAP_MS = 2 * HOUR
"""Longer than any build takes: one is listed by when it began."""
FIRST_MS = HOUR
_LIMIT = 100

_STATES = {
    "deployment.succeeded": "READY",
    "deployment.ready": "READY",
    "deployment.error": "ERROR",
    "deployment.canceled": "CANCELED",
}


Ended = Literal["deployment.succeeded", "deployment.ready", "deployment.error", "deployment.canceled"]


class Settings(Polling):
    token: SecretStr = Field(description="a token that may read deployments")
    team_id: str = ""
    base_url: str = ""
    project: str = Field(default="", description="only this project's; unless given, all of the team's")
    types: list[Ended] = Field(
        default=["deployment.succeeded", "deployment.error"],
        max_length=len(_STATES),
        description="what the webhook is set to send, of deployment.succeeded, .ready, .error and .canceled",
    )


def page(step: Step, settings: Settings, window: Window, known: Container[str]) -> Page:
    query = {
        "since": str(window.since_at),
        "until": window.after or str(window.until_at),
        "limit": str(_LIMIT),
    }
    if settings.project:
        query["projectId"] = settings.project
    told = api.asked(api.ask(step, "GET", "/v6/deployments", query=query))
    missed = [each for found in api.listed(told.get("deployments")) for each in _ended(found, settings)]
    pages = told.get("pagination")
    after = number(pages, "next") if isinstance(pages, dict) else 0
    more = after > window.since_at and after < int(query["until"])
    return Page([each for each in missed if each.id not in known], str(after) if more else "")


def _ended(found: Mapping[str, Any], settings: Settings) -> Iterator[Missed]:
    uid, state = text(found, "uid"), text(found, "readyState") or text(found, "state")
    for kind in settings.types:
        if uid and state == _STATES.get(kind):
            yield Missed(f"{kind}:{uid}", orjson.dumps(_told(found, kind, uid, settings.team_id)))


def _told(found: Mapping[str, Any], kind: str, uid: str, team: str) -> dict[str, Any]:
    """As the webhook's body has it."""
    creator = found.get("creator")
    at = number(found, "ready") or number(found, "createdAt") or number(found, "created")
    return {
        "id": f"polled_{uid}",
        "type": kind,
        "createdAt": at,
        "payload": {
            **({"team": {"id": team}} if team else {}),
            "user": {"id": text(creator, "uid")} if isinstance(creator, dict) else {},
            "deployment": {
                "id": uid,
                "name": text(found, "name"),
                "url": text(found, "url"),
                "meta": found.get("meta") if isinstance(found.get("meta"), dict) else {},
            },
            "links": {"deployment": text(found, "inspectorUrl")},
            "target": text(found, "target") or None,
            "project": {"id": text(found, "projectId")},
        },
    }
