"""The shifts of a calendar as one override, which the next import of the same schedule replaces."""

from collections.abc import Sequence

from routing.entry import OverrideKind, OverrideSet, Shift
from routing.instant import DAY

KEPT = 30 * DAY
"""What a calendar holds of so long ago is laid, too: who was on call stays known."""


def window(now: int, ahead_ms: int) -> tuple[int, int]:
    """From when until when (ms) a calendar is read, where nobody says otherwise."""
    return now - KEPT, now + ahead_ms


def import_id(schedule: str) -> str:
    """The id of what is imported over a schedule: always the same, so that there is only one."""
    return f"ical-{schedule}"


def overlay(schedule: str, shifts: Sequence[Shift], *, exclusive: bool, at: int, by: str) -> OverrideSet:
    """`shifts` are at least one."""
    return OverrideSet(
        at=at, by=by, id=import_id(schedule), schedule=schedule, contact="", kind=OverrideKind.IMPORT,
        from_at=min(each.from_at for each in shifts), until_at=max(each.until_at for each in shifts),
        shifts=list(shifts), exclusive=exclusive,
    )  # fmt: skip


def same_shifts(one: OverrideSet, other: OverrideSet | None) -> bool:
    """Whether laying one where the other is would change nothing."""
    return other is not None and (one.shifts, one.exclusive) == (other.shifts, other.exclusive)


def taken_back(laid: OverrideSet, now: int) -> OverrideSet:
    """The entry after which it does not stand any more."""
    return OverrideSet(
        at=now, by=laid.by, id=laid.id, schedule=laid.schedule, contact="", from_at=laid.from_at,
        until_at=laid.until_at,
    )  # fmt: skip
