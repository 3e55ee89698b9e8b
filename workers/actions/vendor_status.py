"""Is the vendor itself ill? Reads a public status page in Statuspage's format.

Settings: base_url and allow_private, as for http; pages, the addresses of others by name. Source: the summary.json
that pages hosted by Statuspage serve, for example www.vercel-status.com/api/v2/summary.json.
"""

from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Action, Step
from workers import http, location
from workers.addresses import Guard
from workers.answer import Answer, Call, HttpError

TITLE = "Vendor status page"
SETTINGS = ("base_url", "allow_private", "pages")
SHARED = ("base_url", "pages", "allow_private")

_WELL = "operational"
_MAX_LISTED = 20
_NAME = r"^[a-z][a-z0-9-]{0,62}$"
_PATH = "/api/v2/summary.json"
_UNKNOWN = {"indicator": "unknown", "description": "nobody has named its status page", "troubled": []}


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = ""
    allow_private: bool | str = False
    pages: dict[
        Annotated[str, Field(pattern=_NAME)], Annotated[str, Field(pattern=r"^(https?://[^\s]+)?$")]
    ] = {}


class Summary(BaseModel):
    """`page`: a name in the setting `pages`, whose address `url` is below; "" for `base_url`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(default=_PATH, pattern=location.URL, json_schema_extra=location.WRITTEN)
    page: str = Field(default="", pattern=rf"^$|{_NAME}")


def summary(step: Step, params: Summary) -> dict[str, Any]:
    """{"indicator": none/minor/major/critical, "description", "troubled": [names of components]}.

    Of a page that has no address the indicator is "unknown": not every vendor has one.
    """
    url = _address(step, params)
    if not url:
        return dict(_UNKNOWN)
    guard = Guard(allow_private=step.settings.get("allow_private") == "true")
    call = Call(method="GET", url=url, mutates=False, timeout_s=step.timeout_s, guard=guard)
    try:
        return _read(http.call(call).good())
    except HttpError as error:
        wait = error.retry_after_ms
        raise ActionError(f"status page: {error}", outcome=error.outcome, retry_after_ms=wait) from error


def _address(step: Step, params: Summary) -> str:
    """Of a page that has none it is ""."""
    if not params.page:
        return location.whole(step, "vendor_status", params.url)
    if not params.url.startswith("/"):
        raise ActionError("write page, or a whole address as url", outcome=Outcome.PERMANENT)
    pages = orjson.loads(step.settings.get("pages") or "{}")
    if params.page not in pages:
        known = ", ".join(sorted(pages)) or "none"
        fix = f"name it in vendor_status.pages in config/actions.yaml: there are {known}"
        raise ActionError(f"no status page {params.page}; {fix}", outcome=Outcome.PERMANENT)
    base = str(pages[params.page]).rstrip("/")
    return base and base + params.url


def _read(answer: Answer) -> dict[str, Any]:
    page = answer.object()
    status = page.get("status")
    if not isinstance(status, dict) or not isinstance(status.get("indicator"), str):
        raise HttpError(f"{answer} without status.indicator", Outcome.PERMANENT, answer)
    components = page.get("components")
    troubled = [
        str(each.get("name", ""))
        for each in (components if isinstance(components, list) else [])
        if isinstance(each, dict) and each.get("status", _WELL) != _WELL
    ]
    return {
        "indicator": status["indicator"],
        "description": str(status.get("description", "")),
        "troubled": troubled[:_MAX_LISTED],
    }


def _plan(step: Step, params: Summary) -> dict[str, Any]:
    return {"would": {"method": "GET", "url": _address(step, params)}}


ACTIONS = {
    "summary": Action(params=Summary, mutates=False, run=summary, plan=_plan),
}
