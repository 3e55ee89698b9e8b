"""Fire drills: a page that comes by the calendar, to see that it reaches whoever is on call."""

from dataclasses import dataclass

from routing.calendar.hours import Hours
from routing.calendar.recurring import Recurrence
from routing.reason import Origin
from routing.severity import Severity


@dataclass(frozen=True, slots=True)
class Drill:
    """`escalation` says who is paged, who next, and how long each is waited for; it has no last resort.

    `hours`: it is put off until these begin, where it falls outside of them. `inform`: who hears how it ended.
    """

    name: str
    title: str
    recurs: Recurrence
    severity: Severity
    escalation: str
    origin: Origin
    hours: Hours | None = None
    inform: tuple[tuple[str, str], ...] = ()
