"""Who is on call now, as the state has it: what every page asks, and what nearly always was asked just before."""

from dataclasses import dataclass

from routing.decision import Table
from routing.oncall.duty import OnCall, who
from routing.oncall.standing import last_key, standing
from routing.policy.schedules import Schedule
from routing.record import Record
from routing.state import State


@dataclass(frozen=True, slots=True)
class _Found:
    """`last`: the fact of whose turn it was, when it was found."""

    schedule: Schedule
    last: Record | None
    shift: OnCall

    def holds(self, schedule: Schedule, last: Record | None, at: int) -> bool:
        same = self.schedule is schedule and self.last is last
        return same and self.shift.since_at <= at < self.shift.until_at


def now(state: State, schedule: Schedule, at: int) -> OnCall:
    """As `who` says at the instant (ms). Remembered until the shift ends, or a turn or an override changes it."""
    last = state.get(Table.FACT, last_key(schedule.name))
    known = state.on_call.get(schedule.name)
    if isinstance(known, _Found) and known.holds(schedule, last, at):
        return known.shift
    shift = who(schedule, standing(state, schedule.name), at)
    state.on_call[schedule.name] = _Found(schedule, last, shift)
    return shift
