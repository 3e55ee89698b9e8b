"""A calendar that a schedule follows: what is to be laid anew, and how well it can be read."""

from collections.abc import Iterable, Mapping
from itertools import accumulate

from msgspec.structs import replace

from routing.entry import OverrideSet, Shift
from routing.instant import DAY, iso
from routing.oncall.importing.appointments import CalendarError
from routing.oncall.importing.laying import overlay, same_shifts, window
from routing.oncall.importing.people import Book, Matched, match
from routing.oncall.importing.reading import read
from routing.policy import Contact, Schedule
from routing.record import Record

BY = "feed"
"""Who lays what a feed says."""

TOLD_AFTER = DAY
"""So long a feed may fail before somebody is told; and so long before its shifts run out."""
_SHOWN = 5


class FeedHealth(Record, frozen=True, kw_only=True, omit_defaults=True):
    """How a schedule's feed was found. Instants in ms, 0 for never."""

    looked_at: int
    every_ms: int
    """How often it is looked at."""
    read_at: int = 0
    failing_since: int = 0
    reason: str = ""
    """Why it cannot be read now, without its address."""
    until_at: int = 0
    """The end of the last shift it laid."""
    is_whole: bool = False
    """Whether its shifts follow each other without a gap, so that an end of them is one nobody meant."""


def renewed(
    schedule: Schedule, contacts: Mapping[str, Contact], data: bytes, standing: OverrideSet | None, now: int
) -> OverrideSet | None:
    """What to lay in place of what stands; None when that is the same. Raises CalendarError.

    A calendar that has become empty all at once is an error: what it said before still stands.
    """
    feed = schedule.feed
    if feed is None:
        return None
    book = Book(contacts, dict(feed.names), frozenset(feed.skipped))
    matched = match(read(data, schedule.timezone, *window(now, feed.ahead_ms)), book, schedule.name)
    _refuse_unknown(matched)
    if any(shift.until_at > now for shift in matched.shifts):
        laid = overlay(schedule.name, matched.shifts, exclusive=feed.is_exclusive, at=now, by=BY)
        return None if same_shifts(laid, standing) else laid
    if standing is not None and standing.until_at > now:
        raise CalendarError(f"it has no shift any more; if that is meant: tocsin oncall remove {standing.id}")
    return None


def _refuse_unknown(matched: Matched) -> None:
    if not matched.unknown:
        return
    told = [
        f"{each.appointment.title!r} (line {each.appointment.line}: {each.found})" for each in matched.unknown
    ]
    more = f", and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    raise CalendarError(
        f"whose these are is not known: {', '.join(told[:_SHOWN])}{more}; write them into names of the feed, or skip"
    )


def well(known: FeedHealth, laid: OverrideSet | None, now: int) -> FeedHealth:
    """After it was read; `laid` stands now, None when nothing does."""
    read = replace(known, looked_at=now, read_at=now, failing_since=0, reason="")
    if laid is None:
        return read
    return replace(read, until_at=laid.until_at, is_whole=laid.exclusive or _is_whole(laid.shifts))


def failing(known: FeedHealth, reason: str, now: int) -> FeedHealth:
    """After it could not be read."""
    return replace(known, looked_at=now, failing_since=known.failing_since or now, reason=reason)


def _is_whole(shifts: Iterable[Shift]) -> bool:
    """Whether there are several, and none leaves a time to nobody before the next one begins."""
    ordered = sorted(shifts, key=lambda each: each.from_at)
    covered = accumulate((each.until_at for each in ordered), max)
    return len(ordered) > 1 and all(
        until >= later.from_at for until, later in zip(covered, ordered[1:], strict=False)
    )


def trouble(schedule: str, health: FeedHealth, now: int) -> str:
    """What somebody has to be told of it; "" while all is well, or may become so by itself."""
    runs_out = bool(health.until_at) and health.until_at < now + TOLD_AFTER
    if health.failing_since and (runs_out or now - health.failing_since >= TOLD_AFTER):
        ends = f", and its last shift ends {iso(health.until_at)}" if runs_out else ""
        return f"the feed of {schedule} has failed since {iso(health.failing_since)}{ends}: {health.reason}"
    if now - health.looked_at >= health.every_ms + TOLD_AFTER:
        return f"nobody has looked at the feed of {schedule} since {iso(health.looked_at)}: does upkeep run?"
    if runs_out and health.is_whole:
        return f"the calendar that {schedule} follows has no shift after {iso(health.until_at)}"
    return ""
