"""The clocks an incident promised to keep: when it must be responded to and resolved, and what comes due next.

One timer an incident, for the earliest of its milestones that still matter.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from routing.calendar.sprints import end_of_sprint
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.severity import Severity
from routing.timer import Timer, Wake

# Named once, as in `routing.draft`: asked for again and again.
_CLOCK = Wake.CLOCK
_RESOLVED, _TRIGGERED = Phase.RESOLVED, Phase.TRIGGERED


class Milestone(StrEnum):
    RESPOND_SOON = "warn that nobody has responded yet"
    RESPOND_BY = "escalate if nobody has acknowledged by then"
    RESOLVE_SOON = "warn that it is not resolved yet"
    RESOLVE_BY = "escalate if it is not resolved by then"


class Due(NamedTuple):
    """`at` (ms) is when it comes, `deadline` the end of the clock it is about."""

    at: int
    milestone: Milestone
    deadline: int


def resolve_by(draft: Draft, severity: Severity) -> int:
    """When an incident of this severity that begins now is to be resolved (ms); 0 without a promise."""
    level = draft.policy.levels[severity]
    if level.resolve_ms:
        return draft.now + level.resolve_ms
    sprints = draft.policy.sprints
    if not level.resolve_sprints or sprints is None:
        return 0
    at = draft.now
    for _ in range(level.resolve_sprints):
        at = end_of_sprint(sprints, at)
    return at


def watch(draft: Draft, incident: Incident) -> None:
    """Be woken for its next milestone."""
    follow(draft, incident, draft.now)


def follow(draft: Draft, incident: Incident, after: int) -> None:
    """Be woken for the first milestone later than an instant (ms), or for nothing more."""
    following = None
    for due in milestones(draft, incident):
        if due.at > after and (following is None or due.at < following.at):
            following = due
    if following is None:
        draft.unwake(_CLOCK, incident.id)
        return
    draft.wake(_CLOCK, incident.id, following.at, incident=incident.id, what=following.milestone.value)


def says_nothing(incident: Incident, timer: Timer) -> bool:
    """Whether a milestone passes without anybody being told: what is held back is owed by nobody yet.

    Only what waits for a repair, and for nothing else, is paged when it should have been responded to.
    """
    if timer.wake is not _CLOCK or not incident.held_until:
        return False
    return bool(incident.silenced_by) or timer.what != Milestone.RESPOND_BY


def milestones(draft: Draft, incident: Incident) -> Iterator[Due]:
    """All that still matter, whenever they are: who has acknowledged owes no response any more."""
    level = draft.policy.levels[incident.severity]
    began = incident.respond_by - level.respond_ms
    clocks = []
    if incident.respond_by and incident.phase is _TRIGGERED:
        clocks.append((incident.respond_by, Milestone.RESPOND_SOON, Milestone.RESPOND_BY))
    if incident.resolve_by and incident.phase is not _RESOLVED:
        clocks.append((incident.resolve_by, Milestone.RESOLVE_SOON, Milestone.RESOLVE_BY))
    for deadline, soon, over in clocks:
        yield Due(began + (deadline - began) * draft.policy.warn_percent // 100, soon, deadline)
        yield Due(deadline, over, deadline)
