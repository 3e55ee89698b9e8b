"""What people read about their shifts, each by the clock of their own time zone."""

from collections.abc import Sequence

from routing import duration
from routing.calendar.hours import FOREVER
from routing.delivery import Message
from routing.incident import Incident
from routing.instant import MINUTE
from routing.oncall import OnCall
from routing.policy import Contact, Schedule
from routing.response.render import clock


def begins(
    schedule: Schedule, contact: Contact, duty: OnCall, was: str, open_: Sequence[Incident]
) -> Message:
    """To whose shift has begun; `open_` are the incidents that are open."""
    title = f"You are on call in {schedule.name}{_until(duty, contact.timezone)}"
    return _message(title, f"Before you: {was}.", duty.reason, *_list("Open now:", open_, contact.timezone))


def over(schedule: Schedule, contact: Contact, duty: OnCall, now: str, theirs: Sequence[Incident]) -> Message:
    """To whose shift is over; `theirs` are open and acknowledged by them."""
    title = f"Your shift in {schedule.name} is over"
    handover = f"Yours until somebody else has it (tocsin incidents reassign ID --to {schedule.name}):"
    return _message(
        title, f"Now: {now}{_until(duty, contact.timezone)}.", *_list(handover, theirs, contact.timezone)
    )


def soon(schedule: Schedule, contact: Contact, shift: OnCall, now: int) -> Message:
    """To whose shift begins after `now` (ms)."""
    left = duration.text((shift.since_at - now) // MINUTE * MINUTE)
    title = f"Your shift in {schedule.name} begins in {left}, {clock(shift.since_at, contact.timezone)}"
    return _message(title, f"It is yours{_until(shift, contact.timezone)}.", shift.reason)


def handoff(schedule: Schedule, duty: OnCall, was: str, now: str) -> Message:
    """To whoever else wants to know, by the schedule's own clock."""
    title = f"{schedule.name}: {now} on call{_until(duty, schedule.timezone)}"
    return _message(title, f"Before: {was}.", duty.reason)


def _message(title: str, *lines: str) -> Message:
    return Message(title=title, body="\n".join([f"{title}.", *lines]), speech=title)


def _until(duty: OnCall, zone: str) -> str:
    return f" until {clock(duty.until_at, zone)}" if duty.until_at < FOREVER else ""


def _list(heading: str, incidents: Sequence[Incident], zone: str) -> list[str]:
    named = [f"{each.id} {each.severity} {each.phase}: {each.title}, since {clock(each.opened_at, zone)}"
             for each in incidents]  # fmt: skip
    return [heading, *named] if named else []
