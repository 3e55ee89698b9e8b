"""Is the vendor itself ill? Reads a public status page in Statuspage's format.

Settings: base_url and allow_private, as for http. Source: the summary.json that pages hosted by Statuspage serve,
for example www.vercel-status.com/api/v2/summary.json.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Action, Step
from workers import http, location
from workers.addresses import Guard
from workers.answer import Answer, Call, HttpError

TITLE = "Vendor status page"
SETTINGS = ("base_url", "allow_private")

_WELL = "operational"
_MAX_LISTED = 20


class Summary(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(pattern=location.URL)


def summary(step: Step, params: Summary) -> dict[str, Any]:
    """{"indicator": none/minor/major/critical, "description", "troubled": [names of components]}."""
    guard = Guard(allow_private=step.settings.get("allow_private") == "true")
    url = location.whole(step, "vendor_status", params.url)
    call = Call(method="GET", url=url, mutates=False, timeout_s=step.timeout_s, guard=guard)
    try:
        return _read(http.call(call).good())
    except HttpError as error:
        wait = error.retry_after_ms
        raise ActionError(f"status page: {error}", outcome=error.outcome, retry_after_ms=wait) from error


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
    return {"would": {"method": "GET", "url": location.whole(step, "vendor_status", params.url)}}


ACTIONS = {
    "summary": Action(params=Summary, mutates=False, run=summary, plan=_plan),
}
