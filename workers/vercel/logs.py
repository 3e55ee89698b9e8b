"""What a build said, and what a deployment says while it runs."""

from collections import Counter
from typing import Any, Literal

import orjson
from pydantic import Field

from routing.errors import ActionError
from routing.ports import Step
from workers.answer import Answer, HttpError
from workers.vercel import api
from workers.vercel.api import Deployment, Project

_MAX_TEXT = 500
_MOST_PATHS = 10
_SERVER_ERROR = 500

Level = Literal["error", "warning", "info"]


class BuildLog(Deployment):
    """Of the last `limit` events those that hold `contains`, the last `show` of them."""

    limit: int = Field(default=500, ge=1, le=1000)
    contains: str = Field(default="", max_length=1000)
    show: int = Field(default=40, ge=1, le=100)


class RuntimeLog(Project):
    """What is said within `listen_s` seconds, at most half of the step's timeout."""

    deployment: str = Field(pattern=api.ID)
    listen_s: int = Field(default=10, ge=1, le=60)
    levels: tuple[Level, ...] = ("error", "warning", "info")
    contains: str = Field(default="", max_length=1000)
    show: int = Field(default=40, ge=1, le=100)


def build_log(step: Step, params: BuildLog) -> dict[str, Any]:
    """{"count", "errors", "lines": [{"at", "type", "text"}]}, in the order they were said."""
    query = {"limit": str(params.limit), "direction": "backward", "follow": "0"}
    answer = api.ask(step, "GET", api.path_of("v3", "deployments", params.deployment, "events"), query=query)
    try:
        events = api.listed(api.taken(answer).json())
    except HttpError as error:
        raise ActionError(f"Vercel: {error}", outcome=error.outcome) from error
    lines = [_event(each) for each in reversed(events)]
    wanted = [line for line in lines if line["text"] and params.contains in line["text"]]
    return {
        "count": len(wanted),
        "errors": sum(line["type"] in {"stderr", "fatal", "error"} for line in wanted),
        "lines": [{**line, "text": line["text"][:_MAX_TEXT]} for line in wanted[-params.show :]],
    }


def runtime_log(step: Step, params: RuntimeLog) -> dict[str, Any]:
    """{"count", "errors", "failed": answers of 500 and above, "failed_percent" of all answers, "paths": {path: failed},
    "lines": [{at, level, text, path, status}]}; `paths` has those that fail most often.
    """
    path = api.path_of("v1", "projects", params.project, "deployments", params.deployment, "runtime-logs")
    answer = api.ask(step, "GET", path, listen_s=min(params.listen_s, step.timeout_s / 2))
    lines = [_line(each) for each in _objects(api.taken(answer))]
    wanted = [line for line in lines if line["level"] in params.levels and params.contains in line["text"]]
    failed = Counter(line["path"] for line in wanted if line["status"] >= _SERVER_ERROR)
    answers = sum(line["status"] > 0 for line in wanted)
    return {
        "count": len(wanted),
        "errors": sum(line["level"] == "error" for line in wanted),
        "failed": failed.total(),
        "failed_percent": round(100 * failed.total() / answers, 1) if answers else 0,
        "paths": dict(failed.most_common(_MOST_PATHS)),
        "lines": [{**line, "text": line["text"][:_MAX_TEXT]} for line in wanted[-params.show :]],
    }


def _event(event: dict[str, Any]) -> dict[str, Any]:
    """Of either shape: what was said is in `payload`, or in the event itself."""
    inner = event.get("payload")
    said = inner if isinstance(inner, dict) else event
    kind = "error" if event.get("level") == "error" else str(event.get("type", ""))
    return {"at": event.get("created") or 0, "type": kind, "text": str(said.get("text") or "")}


def _objects(answer: Answer) -> list[dict[str, Any]]:
    """One a line. The last one may have been cut off, and so may be none."""
    found = []
    for line in answer.body.splitlines():
        try:
            found.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            continue
    return api.listed(found)


def _line(row: dict[str, Any]) -> dict[str, Any]:
    status, at = row.get("responseStatusCode"), row.get("timestampInMs")
    return {
        "at": int(at) if isinstance(at, int | float) else 0,
        "level": str(row.get("level", "")),
        "text": str(row.get("message", "")),
        "path": str(row.get("requestPath", "")),
        "status": status if isinstance(status, int) else 0,
    }


def plan_build(step: Step, params: BuildLog) -> dict[str, Any]:
    return api.would(step, "GET", api.path_of("v3", "deployments", params.deployment, "events"))


def plan_runtime(step: Step, params: RuntimeLog) -> dict[str, Any]:
    path = api.path_of("v1", "projects", params.project, "deployments", params.deployment, "runtime-logs")
    return api.would(step, "GET", path)
