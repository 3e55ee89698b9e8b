"""Which API keys the project takes: a new one has to work, an old one to be refused. No key is ever put out."""

from typing import Annotated, Any

import orjson
from pydantic import Field, model_validator

from routing.errors import ActionError
from routing.ports import Step
from workers import http
from workers.answer import Call, HttpError
from workers.once import seconds
from workers.supabase import api
from workers.supabase.api import Project

NAME = r"^[a-z_][a-z0-9_]{3,63}$"
Keys = dict[Annotated[str, Field(pattern=NAME)], str]
"""The setting `keys`: values by name, of those that may have to be seen refused once they are deleted."""

_REFUSED = frozenset({401, 403})
_PATH = "/auth/v1/settings"
"""What any key may ask."""


class TryKeys(Project):
    """Names. `works` is asked for at Supabase, so it must be there; of `refused` the value is in the setting `keys`."""

    works: str = Field(default="", pattern=rf"^$|{NAME}")
    refused: str = Field(default="", pattern=rf"^$|{NAME}")

    @model_validator(mode="after")
    def _some(self) -> "TryKeys":
        if not self.works and not self.refused:
            raise ValueError("name a key that works, one that is refused, or both")
        return self


def try_keys(step: Step, params: TryKeys) -> dict[str, Any]:
    """{"works", "works_status", "refused", "refused_status"}.

    Null of a key that was not named, is not there, or whose value nobody knows; a status of 0 then.
    """
    works = _status(step, params, _revealed(step, params, params.works)) if params.works else 0
    refused = _status(step, params, _known(step, params.refused)) if params.refused else 0
    return {
        "works": works // 100 == 2 if works else None,  # noqa: PLR2004
        "works_status": works,
        "refused": refused in _REFUSED if refused else None,
        "refused_status": refused,
    }


def _revealed(step: Step, params: TryKeys, name: str) -> str:
    """Its value; "" where there is no such key. Raises ActionError."""
    listed = api.read_list(step, api.address(step, params, "api-keys"))
    found = next((each for each in listed if each.get("name") == name), None)
    if found is None:
        return ""
    url = api.address(step, params, "api-keys", str(found.get("id", "")))
    return str(api.read(step, url, {"reveal": "true"}).get("api_key") or "")


def _known(step: Step, name: str) -> str:
    found = orjson.loads(step.settings.get("keys") or "{}")
    return str(found.get(name) or "") if isinstance(found, dict) else ""


def _status(step: Step, params: TryKeys, key: str) -> int:
    """What the project says to whoever comes with the key. Raises ActionError when it says nothing."""
    if not key:
        return 0
    call = Call(
        method="GET",
        url=_address(step, params) + _PATH,
        mutates=False,
        timeout_s=seconds(step, mutates=False),
        headers={"apikey": key},
    )
    try:
        return http.call(call).status
    except HttpError as error:
        raise ActionError(f"Supabase's project: {error}", outcome=error.outcome) from error


def _address(step: Step, params: TryKeys) -> str:
    """Raises ActionError when nothing names the project."""
    if url := step.settings.get("project_url", "").rstrip("/"):
        return url
    ref = params.ref or step.settings.get("ref", "")
    if not ref:
        raise ActionError("no project: set SUPABASE_PROJECT_REF, or ref in the runbook")
    return f"https://{ref}.supabase.co"


def plan(step: Step, params: TryKeys) -> dict[str, Any]:
    return api.would(step, params, "GET", "api-keys", tries=[params.works, params.refused])
