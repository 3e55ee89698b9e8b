"""PageSpeed Insights: how fast a page is, in Google's lab and for real visitors, and what would help.

Settings: api_key, site_url (a `url` that is a path is below it), base_url. Without api_key every action is only
simulated. Source: developers.google.com/speed/docs/insights/v5 (runPagespeed).
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Action, Step
from workers import location, vendors
from workers.answer import Call
from workers.credentials import NoCredentialsError

TITLE = "PageSpeed Insights"
SETTINGS = ("api_key", "site_url", "base_url")
SHARED = ("base_url",)

BASE_URL = "https://pagespeedonline.googleapis.com"
_PATH = "/pagespeedonline/v5/runPagespeed"
_MAX_BYTES = 8_388_608
_MOST_SHOWN = 10
_LAB = {
    "fcp_ms": "first-contentful-paint",
    "lcp_ms": "largest-contentful-paint",
    "tbt_ms": "total-blocking-time",
    "speed_index_ms": "speed-index",
    "ttfb_ms": "server-response-time",
    "bytes": "total-byte-weight",
}
_FIELD = {
    "fcp_ms": "FIRST_CONTENTFUL_PAINT_MS",
    "lcp_ms": "LARGEST_CONTENTFUL_PAINT_MS",
    "inp_ms": "INTERACTION_TO_NEXT_PAINT",
    "ttfb_ms": "EXPERIMENTAL_TIME_TO_FIRST_BYTE",
}
_ADVICE = {
    400: "check the url, and PAGESPEED_API_KEY",
    403: "enable the PageSpeed Insights API for PAGESPEED_API_KEY",
    429: "the key's quota is used up for now",
    500: "Google could not load the page, or not audit it",
}


class Audit(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(default="/", pattern=location.URL, json_schema_extra=location.WRITTEN)
    strategy: Literal["mobile", "desktop"] = "mobile"


def audit(step: Step, params: Audit) -> dict[str, Any]:
    """One run takes Google 10 to 60 seconds. A page that cannot be audited is a result.

    {"ok", "error", "score": 0 to 100, "fcp_ms", "lcp_ms", "tbt_ms", "speed_index_ms", "ttfb_ms", "bytes", "cls",
    "field": {"category", "fcp_ms", "lcp_ms", "inp_ms", "ttfb_ms", "cls"}, "savings": [{id, title, ms, bytes}]};
    what Google does not say is null.
    """
    if not step.settings.get("api_key"):
        raise NoCredentialsError("no PageSpeed key: set PAGESPEED_API_KEY")
    call = Call(
        method="GET",
        url=_address(step),
        mutates=False,
        timeout_s=step.timeout_s,
        query={
            "url": _page(step, params),
            "strategy": params.strategy.upper(),
            "category": "PERFORMANCE",
            "key": step.settings["api_key"],
        },
        max_bytes=_MAX_BYTES,
    )
    found = vendors.object_of("PageSpeed", vendors.ask("PageSpeed", call, _ADVICE))
    lighthouse = _dict(found, "lighthouseResult")
    if not lighthouse:
        raise ActionError("PageSpeed answered without a result", outcome=Outcome.TEMPORARY)
    failure = _dict(lighthouse, "runtimeError").get("code", "")
    score = _dict(lighthouse, "categories", "performance").get("score")
    return {
        "ok": not failure and isinstance(score, int | float),
        "error": str(failure),
        "score": round(score * 100) if isinstance(score, int | float) else None,
        **_lab(_dict(lighthouse, "audits")),
        "field": _field(_dict(found, "loadingExperience")),
        "savings": _savings(_dict(lighthouse, "audits")),
    }


def _lab(audits: dict[str, Any]) -> dict[str, Any]:
    lab = {name: _whole(_dict(audits, id_).get("numericValue")) for name, id_ in _LAB.items()}
    shift = _dict(audits, "cumulative-layout-shift").get("numericValue")
    return {**lab, "cls": round(shift, 3) if isinstance(shift, int | float) else None}


def _field(experience: dict[str, Any]) -> dict[str, Any]:
    """Of real visitors, at the 75th percentile; the layout shift is said in hundredths."""
    metrics = _dict(experience, "metrics")
    field = {name: _whole(_dict(metrics, id_).get("percentile")) for name, id_ in _FIELD.items()}
    shift = _dict(metrics, "CUMULATIVE_LAYOUT_SHIFT_SCORE").get("percentile")
    return {
        "category": str(experience.get("overall_category", "")),
        **field,
        "cls": shift / 100 if isinstance(shift, int | float) else None,
    }


def _savings(audits: dict[str, Any]) -> list[dict[str, Any]]:
    """What would help most, first."""
    found: list[dict[str, Any]] = [
        {
            "id": id_,
            "title": str(each.get("title", "")),
            "ms": _whole(_dict(each, "details").get("overallSavingsMs")) or 0,
            "bytes": _whole(_dict(each, "details").get("overallSavingsBytes")) or 0,
        }
        for id_, each in audits.items()
        if isinstance(each, dict)
    ]
    helpful = [each for each in found if each["ms"] or each["bytes"]]
    return sorted(helpful, key=lambda each: (-each["ms"], -each["bytes"]))[:_MOST_SHOWN]


def _dict(found: Any, *path: str) -> dict[str, Any]:
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _whole(found: Any) -> int | None:
    return round(found) if isinstance(found, int | float) else None


def _page(step: Step, params: Audit) -> str:
    if not params.url.startswith("/"):
        return params.url
    site = step.settings.get("site_url", "").rstrip("/")
    if not site.startswith(("http://", "https://")):
        fix = "set pagespeed.site_url in config/actions.yaml to an address like https://example.com"
        raise ActionError(f"{params.url} is a path; {fix}", outcome=Outcome.PERMANENT)
    return site + params.url


def _address(step: Step) -> str:
    return (step.settings.get("base_url") or BASE_URL).rstrip("/") + _PATH


def _plan(step: Step, params: Audit) -> dict[str, Any]:
    return {"would": {"method": "GET", "url": _address(step), "page": _page(step, params)}}


ACTIONS = {
    "audit": Action(params=Audit, mutates=False, run=audit, plan=_plan),
}
