"""Booksy, which offers no public API: an adapter over what the operator has, a request or a program.

Settings: status, sync, refresh_auth, reset_sync; each has `request` (method, url, headers, token, json, form,
expect_status, expect, max_ms) or `program` (as in `command`). allow_private, as for http. What is not set is only
simulated.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Action, Step
from workers import programs, requests, vendors
from workers.credentials import NoCredentialsError, faults
from workers.programs import Program
from workers.requests import Asked

TITLE = "Booksy"
SETTINGS = ("status", "sync", "refresh_auth", "reset_sync", "allow_private")


class Request(Asked):
    """`token` is sent as a bearer's."""

    url: str = Field(pattern=r"^https?://[^/?#\\\s@]+(/\S*)?$")
    token: str = ""


class Way(BaseModel):
    """One of both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: Request | None = None
    program: Program | None = None

    @model_validator(mode="after")
    def _one(self) -> "Way":
        if (self.request is None) == (self.program is None):
            raise ValueError("write request or program, and not both")
        return self


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Way | None = None
    sync: Way | None = None
    refresh_auth: Way | None = None
    reset_sync: Way | None = None
    allow_private: bool | str = False


class Nothing(BaseModel):
    """What is done is the operator's to say, in config/actions.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")


_WAY: TypeAdapter[Way] = TypeAdapter(Way)


def _go(step: Step, params: Nothing, *, name: str, mutates: bool) -> dict[str, Any]:
    """{"ok", "json", ...} as `requests.send` or `programs.run` say; `affects` 1 where something changes."""
    del params
    way = _way(step, name)
    if way.program:
        if not mutates:
            programs.must_read(f"booksy {name}", way.program)
        found = programs.run(step, f"booksy {name}", way.program, (), mutates=mutates)
    else:
        found = _request(step, way.request, mutates=mutates)
    return {**found, "affects": 1} if mutates else found


def _request(step: Step, request: Request | None, *, mutates: bool) -> dict[str, Any]:
    assert request is not None  # noqa: S101  # a way has one of both
    if mutates:
        vendors.permit(step)
    token = {"authorization": f"Bearer {request.token}"} if request.token else {}
    return requests.send(step, request.url, request, mutates=mutates, extra=token)


def _way(step: Step, name: str) -> Way:
    """Raises ActionError, NoCredentialsError when the operator has not said how."""
    written = step.settings.get(name, "")
    if not written:
        raise NoCredentialsError(f"nobody has said how: set {name} of booksy in config/actions.yaml")
    try:
        return _WAY.validate_json(written)
    except ValidationError as error:
        raise ActionError(
            f"{name} of booksy in config/actions.yaml: {faults(error)}", outcome=Outcome.PERMANENT
        ) from error


def _plan(name: str) -> Callable[[Step, Nothing], dict[str, Any]]:
    def plan(step: Step, _: Nothing) -> dict[str, Any]:
        way = _way(step, name)
        if way.program:
            return {"would": {"argv": programs.line(name, way.program, ())}}
        request = way.request
        return {"would": {"method": request.method, "url": request.url} if request else {}}

    return plan


def _action(name: str, *, mutates: bool, undo: str = "") -> Action:
    run = partial(_go, name=name, mutates=mutates)
    return Action(Nothing, mutates=mutates, run=run, undo=undo, plan=_plan(name))


ACTIONS = {
    "status": _action("status", mutates=False),
    "sync": _action("sync", mutates=True),
    "refresh_auth": _action("refresh_auth", mutates=True),
    "reset_sync": _action("reset_sync", mutates=True, undo="irreversible"),
}
