"""Which backups there are, how old the newest is, and whether one can go back to an instant."""

from datetime import datetime
from typing import Any

from pydantic import Field, field_validator

from routing.instant import parse_iso
from routing.ports import Step
from workers.supabase import api
from workers.supabase.api import Project

_MINUTE_MS = 60_000
_MAX_LISTED = 20


class Backups(Project):
    """`at`: an instant that one would go back to, in ISO 8601 with its offset, for which time zone decides hours."""

    at: str = Field(default="", max_length=40)

    @field_validator("at")
    @classmethod
    def _instant(cls, text: str) -> str:
        if text and datetime.fromisoformat(text).tzinfo is None:
            raise ValueError("an instant without its offset: write it like 2026-11-28T09:00+01:00")
        return text


def backups(step: Step, params: Backups) -> dict[str, Any]:
    """{"pitr", "earliest_at", "latest_at", "age_minutes", "failed", "backups": [{"id", "status", "at"}]}.

    Of an instant that was given also {"at", "reaches": one can go back to it, "lost_minutes"}.

    `earliest_at` and `latest_at` bound what can be restored to, at any instant with `pitr`, else at that of a
    completed backup; null, as `age_minutes`, when there is none. `failed`: how many of those listed.
    """
    found = api.read(step, api.address(step, params, "database/backups"))
    listed = found.get("backups")
    each = sorted(
        (_backup(item) for item in listed if isinstance(item, dict)) if isinstance(listed, list) else (),
        key=lambda backup: -backup["at"],
    )
    earliest, latest = _span(found, [backup["at"] for backup in each if backup["status"] == "COMPLETED"])
    pitr = found.get("pitr_enabled") is True
    return {
        "pitr": pitr,
        "earliest_at": earliest,
        "latest_at": latest,
        "age_minutes": max(0, step.now - latest) // _MINUTE_MS if latest else None,
        "failed": sum(backup["status"] == "FAILED" for backup in each),
        "backups": each[:_MAX_LISTED],
        **_asked(step, params.at, earliest if pitr else None, latest or 0),
    }


def _asked(step: Step, text: str, earliest: int | None, latest: int) -> dict[str, Any]:
    if not text:
        return {}
    at = parse_iso(text)
    return {
        "at": at,
        "reaches": earliest is not None and earliest <= at <= latest,
        "lost_minutes": max(0, step.now - at) // _MINUTE_MS,
    }


def _span(found: dict[str, Any], completed: list[int]) -> tuple[int | None, int | None]:
    """Of both kinds: physical backups are told by their bounds only, in seconds."""
    physical = found.get("physical_backup_data")
    bounds = physical if isinstance(physical, dict) else {}
    names = ("earliest_physical_backup_date_unix", "latest_physical_backup_date_unix")
    instants = [bounds[name] * 1000 for name in names if isinstance(bounds.get(name), int)] + completed
    return (min(instants), max(instants)) if instants else (None, None)


def _backup(item: dict[str, Any]) -> dict[str, Any]:
    return {"id": item.get("id"), "status": str(item.get("status", "")), "at": _at(item.get("inserted_at"))}


def _at(text: Any) -> int:
    """0 for what is no instant."""
    try:
        return parse_iso(str(text))
    except ValueError:
        return 0


def plan_backups(step: Step, params: Backups) -> dict[str, Any]:
    return api.would(step, params, "GET", "database/backups")
