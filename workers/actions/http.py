"""HTTP: is a site well, what does an endpoint say, and any request whose host the operator wrote down.

Settings: base_url (of the site that is looked after: a `url` that is a path is below it), allow_private (true lets
URLs lead to private and loopback addresses; else they are refused, because a URL may come from a payload).
"""

import time
from hashlib import sha256
from typing import Any, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Action, Step
from workers import http, location, requests, vendors
from workers.addresses import Guard
from workers.answer import Answer, Call, HttpError
from workers.deadline import Deadline
from workers.requests import Asked, Path

TITLE = "HTTP"
SETTINGS = ("base_url", "allow_private")


class Probe(BaseModel):
    """`expect_status` 0: any 2xx or 3xx. `max_ms` 0: however slow. `contains` "": whatever it says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(pattern=location.URL, json_schema_extra=location.WRITTEN)
    count: int = Field(default=3, ge=1, le=10)
    every_ms: int = Field(default=1_000, ge=0, le=10_000)
    expect_status: int = Field(default=0, ge=0, le=599)
    max_ms: int = Field(default=0, ge=0)
    timeout_ms: int = Field(default=5_000, ge=100, le=60_000)
    contains: str = ""


class GetJson(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(pattern=location.URL, json_schema_extra=location.WRITTEN)


class Request(Asked):
    """`base` is a scheme and host, written out in the runbook's file; "" is the family's `base_url`.

    What a payload says may fill `path`, `query`, `json`, `form`, best the latter three. `idempotency_header`: the
    name under which the site takes a key that tells a repeat.
    """

    base: str = Field(default="", pattern=requests.BASE, json_schema_extra={"x-literal": True})
    path: Path
    idempotency_header: str = Field(default="", pattern=r"^[A-Za-z0-9-]{0,64}$")

    @model_validator(mode="after")
    def _one_query(self) -> Self:
        if "?" in self.path and self.query:
            raise ValueError("write the query in path or in query, and not in both")
        return self


def probe(step: Step, params: Probe) -> dict[str, Any]:
    """Ask `count` times. A site that is ill is a result, not an error.

    {"ok", "failures", "count", "last": {"ok", "status", "ms", "error"}, "results": [...]}; `ok` when all were.
    """
    deadline = Deadline(step.timeout_s)
    results: list[dict[str, Any]] = []
    for number in range(params.count):
        if number:
            time.sleep(params.every_ms / 1000)
        try:
            results.append(_look(step, params, min(deadline.left(), params.timeout_ms / 1000)))
        except TimeoutError:
            break  # what was seen so far counts
    failures = sum(not result["ok"] for result in results)
    return {
        "ok": failures == 0,
        "failures": failures,
        "count": len(results),
        "last": results[-1],
        "results": results,
    }


def get_json(step: Step, params: GetJson) -> dict[str, Any]:
    """{"status", "body"}. Raises ActionError for anything but a 2xx with JSON."""
    try:
        answer = http.call(_call(step, params.url, step.timeout_s)).good()
        return {"status": answer.status, "body": answer.json()}
    except HttpError as error:
        wait = error.retry_after_ms
        raise ActionError(str(error), outcome=error.outcome, retry_after_ms=wait) from error


def request(step: Step, params: Request) -> dict[str, Any]:
    """{"ok", "status", "ms", "json", "text"} as `requests.send` says. What it changes only the site knows."""
    extra = {}
    if params.idempotency_header:
        asked = orjson.dumps(params.model_dump(), option=orjson.OPT_SORT_KEYS)
        extra = {
            params.idempotency_header: step.idempotency_key or f"tocsin-{sha256(asked).hexdigest()[:40]}"
        }
    url = _address(step, params)
    vendors.permit(step)
    return requests.send(step, url, params, mutates=True, extra=extra)


def _look(step: Step, params: Probe, timeout_s: float) -> dict[str, Any]:
    try:
        answer = http.call(_call(step, params.url, timeout_s))
    except HttpError as error:
        if error.outcome in {Outcome.REFUSED, Outcome.PERMANENT}:
            raise ActionError(str(error), outcome=error.outcome) from error
        return {"ok": False, "status": 0, "ms": round(timeout_s * 1000), "error": str(error)}
    ailment = _ailment(answer, params)
    return {"ok": not ailment, "status": answer.status, "ms": answer.took_ms, "error": ailment}


def _ailment(answer: Answer, params: Probe) -> str:
    """What is wrong with the answer; "" when nothing is."""
    well = answer.status == params.expect_status if params.expect_status else 200 <= answer.status < 400  # noqa: PLR2004
    if not well:
        return f"status {answer.status}, expected {params.expect_status or '2xx or 3xx'}"
    if params.max_ms and answer.took_ms > params.max_ms:
        return f"took {answer.took_ms} ms, more than {params.max_ms}"
    if params.contains and params.contains.encode() not in answer.body:
        return f"does not contain {params.contains!r}"
    return ""


def _call(step: Step, url: str, timeout_s: float) -> Call:
    guard = Guard(allow_private=step.settings.get("allow_private") == "true")
    found = location.whole(step, "http", url)
    return Call(method="GET", url=found, mutates=False, timeout_s=timeout_s, guard=guard)


def _plan(step: Step, params: Probe | GetJson) -> dict[str, Any]:
    return {"would": {"method": "GET", "url": location.whole(step, "http", params.url)}}


def _address(step: Step, params: Request) -> str:
    return params.base + params.path if params.base else location.whole(step, "http", params.path)


def _plan_request(step: Step, params: Request) -> dict[str, Any]:
    return {"would": {"method": params.method, "url": _address(step, params)}}


ACTIONS = {
    "probe": Action(params=Probe, mutates=False, run=probe, plan=_plan),
    "get_json": Action(params=GetJson, mutates=False, run=get_json, plan=_plan),
    "request": Action(params=Request, mutates=True, run=request, undo="irreversible", plan=_plan_request),
}
