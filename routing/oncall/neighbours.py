"""Who has the next shift, and who had the one before: targets for escalation beside who is on call."""

from collections.abc import Callable

from routing.calendar.hours import FOREVER
from routing.oncall.duty import OnCall, who
from routing.oncall.layers import next_after
from routing.oncall.standing import Standing
from routing.policy.schedules import Mode, RoundRobin, Schedule

MOST_SHIFTS = 100
"""Beyond so many shifts nobody else is looked for."""


def who_next(schedule: Schedule, standing: Standing, at: int) -> OnCall:
    """Those of the first shift after the instant's that anybody else has; nobody when there is none.

    In a round robin it is who would be paged after the one whose turn it is.
    """
    now = who(schedule, standing, at)
    round_ = _round(schedule)
    if round_ is not None and now.contact in round_.contacts:
        contact = next_after(round_.contacts, now.contact)
        return _in_round(schedule, contact, "next", now)
    return _first_other(schedule, standing, now, lambda shift: shift.until_at)


def who_previous(schedule: Schedule, standing: Standing, at: int) -> OnCall:
    """Those of the last shift before the instant's that anybody else had; nobody when there was none.

    In a round robin it is who was paged last.
    """
    now = who(schedule, standing, at)
    round_ = _round(schedule)
    if round_ is not None and now.contact in round_.contacts:
        last = standing.last if standing.last in round_.contacts else round_.contacts[-1]
        return _in_round(schedule, last, "last", now)
    return _first_other(schedule, standing, now, lambda shift: shift.since_at - 1)


def _round(schedule: Schedule) -> RoundRobin | None:
    rounds = [
        layer.people
        for layer in schedule.layers
        if isinstance(layer.people, RoundRobin) and layer.mode is Mode.REPLACE
    ]
    return rounds[-1] if rounds else None


def _in_round(schedule: Schedule, contact: str, which: str, now: OnCall) -> OnCall:
    reason = f"{contact} is {which} in the round of {schedule.name}"
    return OnCall((contact,), reason, now.since_at, now.until_at)


def _first_other(
    schedule: Schedule, standing: Standing, now: OnCall, beside: Callable[[OnCall], int]
) -> OnCall:
    shift = now
    for _ in range(MOST_SHIFTS):
        at = beside(shift)
        if not 0 <= at < FOREVER:
            break
        shift = who(schedule, standing, at)
        if shift.contacts and set(shift.contacts) != set(now.contacts):
            return shift
    return OnCall((), f"nobody else is ever on call in {schedule.name}", now.since_at, now.until_at)
