"""Attack challenge mode: every visitor proves to be a browser. It ends by itself, whatever becomes of us."""

from typing import Any

from pydantic import Field

from routing.ports import Step
from workers import once
from workers.vercel import api
from workers.vercel.api import Project

_PATH = "/v1/security/attack-mode"
_MINUTE_MS = 60_000
_SLACK_MS = 2 * _MINUTE_MS
"""A repeat of the same step asks for an end a little later than what it asked for before."""


class AttackMode(Project):
    enabled: bool = True
    for_minutes: int = Field(default=60, ge=1, le=1440)


def attack_mode(step: Step, params: AttackMode) -> dict[str, Any]:
    """{"enabled", "was", "until"}: setting `enabled` to `was` takes it back. Affects every visitor.

    What is on without an end, by a person's hand, is left as it is: `until` is then null.
    """
    known = api.project(step, params.project)
    was, _ = _state(known, step.now)
    until = step.now + params.for_minutes * _MINUTE_MS if params.enabled else None

    def look(found: dict[str, Any]) -> dict[str, Any] | None:
        enabled, ends = _state(found, step.now)
        late = ends is None or (until is not None and ends >= until - _SLACK_MS)
        done = enabled is params.enabled and (late or not enabled)
        return {"enabled": enabled, "was": was, "until": ends if enabled else None} if done else None

    def ask() -> dict[str, Any]:
        api.changed(step, "POST", _PATH, json=_body(str(known.get("id") or params.project), until))
        return {"enabled": params.enabled, "was": was, "until": until}

    already = look(known)
    if already is not None:
        return {**already, "already": True}
    return once.settled(lambda: look(api.project(step, params.project)), ask)


def _state(known: dict[str, Any], now: int) -> tuple[bool, int | None]:
    """Whether it is on, and until when; None for no end."""
    security = known.get("security")
    told = security if isinstance(security, dict) else {}
    until = told.get("attackModeActiveUntil")
    ends = int(until) if isinstance(until, int | float) else None
    return told.get("attackModeEnabled") is True and (ends is None or ends > now), ends


def _body(project: str, until: int | None) -> dict[str, Any]:
    end = {} if until is None else {"attackModeActiveUntil": until}
    return {"projectId": project, "attackModeEnabled": until is not None, **end}


def plan(step: Step, params: AttackMode) -> dict[str, Any]:
    until = step.now + params.for_minutes * _MINUTE_MS if params.enabled else None
    return api.would(step, "POST", _PATH, json=_body(params.project, until))
