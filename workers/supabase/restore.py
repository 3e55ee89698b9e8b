"""Points to go back to, and going back in time."""

import time
from collections.abc import Callable
from typing import Any

from pydantic import Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.instant import iso
from routing.ports import Step
from workers import once
from workers.supabase import api, backups, project
from workers.supabase.api import Project
from workers.supabase.backups import Backups

_POINT = "database/backups/restore-point"
_PITR = "database/backups/restore-pitr"
_MINUTE_MS = 60_000
_RESTORING = "RESTORING"
_AVAILABLE = "AVAILABLE"
_LOOK_MS = 2_000


class RestorePoint(Project):
    """`wait`: until one can go back to it, for most of the step's timeout."""

    wait: bool = False
    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,20}$")


class RestorePitr(Project):
    """`to`: the instant (ms) that the database is to be as it was at."""

    to: int = Field(gt=0)


def restore_point(step: Step, params: RestorePoint) -> dict[str, Any]:
    """{"name", "status"}. One of that name that is there, or being made, counts as done.

    With `wait` one that is still being made when the time is up is TEMPORARY: asked again, it goes on waiting.
    """
    url = api.address(step, params, _POINT)

    def look() -> dict[str, Any] | None:
        answer = api.ask(step, "GET", url, query={"name": params.name})
        if answer.status == api.NOT_FOUND:
            return None
        found = api.an_object(api.taken(answer))
        usable = found.get("name") == params.name and found.get("status") in {_AVAILABLE, "PENDING"}
        return _point(found) if usable else None

    def ask() -> dict[str, Any]:
        return _point(api.an_object(api.change(step, "POST", url, {"name": params.name})))

    made = once.once(look, ask)
    while params.wait and made["status"] != _AVAILABLE:
        made = _looked_again(step, params, look)
    return made


def _looked_again(
    step: Step, params: RestorePoint, look: Callable[[], dict[str, Any] | None]
) -> dict[str, Any]:
    if step.left() * 1000 <= 2 * _LOOK_MS:
        raise ActionError(f"the restore point {params.name} is still being made", outcome=Outcome.TEMPORARY)
    time.sleep(_LOOK_MS / 1000)
    found = look()
    if found is None:
        raise ActionError(f"the restore point {params.name} could not be made")
    return found


def restore_pitr(step: Step, params: RestorePitr) -> dict[str, Any]:
    """{"requested", "to", "lost_minutes"}. What was written since is lost, and nothing brings it back.

    Refused while a restore is under way, whoever began it, and when the instant is none that can be restored to.
    """
    if project.status(step, params)["status"] == _RESTORING:
        raise ActionError("a restore is under way already: look whose, and to when", outcome=Outcome.REFUSED)
    _check_reach(backups.backups(step, Backups(ref=params.ref)), params.to)
    lost = max(0, step.now - params.to) // _MINUTE_MS
    done = {"requested": True, "to": params.to, "lost_minutes": lost}

    def look() -> dict[str, Any] | None:
        return done if project.status(step, params)["status"] == _RESTORING else None

    def ask() -> dict[str, Any]:
        body = {"recovery_time_target_unix": params.to // 1000}
        api.change(step, "POST", api.address(step, params, _PITR), body)
        return done

    return once.settled(look, ask)


def _check_reach(found: dict[str, Any], to: int) -> None:
    earliest, latest = found["earliest_at"], found["latest_at"]
    if not found["pitr"]:
        raise ActionError("point-in-time recovery is not enabled: restore a daily backup by hand")
    if earliest is None or not earliest <= to <= latest:
        reach = f"{iso(earliest)} to {iso(latest)}" if earliest is not None else "nothing yet"
        raise ActionError(f"{iso(to)} cannot be restored to: there is {reach}")


def _point(found: dict[str, Any]) -> dict[str, Any]:
    return {"name": str(found.get("name", "")), "status": str(found.get("status", ""))}


def plan_restore_point(step: Step, params: RestorePoint) -> dict[str, Any]:
    return api.would(step, params, "POST", _POINT, json={"name": params.name})


def plan_restore_pitr(step: Step, params: RestorePitr) -> dict[str, Any]:
    lost = max(0, step.now - params.to) // _MINUTE_MS
    body = {"recovery_time_target_unix": params.to // 1000}
    return {**api.would(step, params, "POST", _PITR, json=body), "lost_minutes": lost}
