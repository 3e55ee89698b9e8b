"""Scheduled work: an event that comes by the calendar, from a timer in the log.

One timer for each, for the next time it comes. So it survives what the state survives, comes once a time, and after
a long stop once for all that was missed.
"""

from routing.alerts import signals
from routing.calendar import recurring
from routing.draft import Draft
from routing.event import Event, Status
from routing.instant import iso
from routing.policy import Scheduled
from routing.schema.sources import CALENDAR, OURSELVES
from routing.timer import Timer, Wake


def watch(draft: Draft) -> None:
    """A policy goes live: each comes when it says now, but for what is overdue already."""
    for rule in draft.policy.scheduled:
        known = draft.timer(Wake.SCHEDULED, rule.name)
        if known is None or known.at > draft.now:
            _wake(draft, rule)


def due(draft: Draft, timer: Timer) -> None:
    """Its time has come, or came while nobody looked."""
    rule = next((each for each in draft.policy.scheduled if each.name == timer.subject), None)
    if rule is None:
        return
    draft.put_fact(_last(rule), str(timer.at))
    _wake(draft, rule)
    event = Event(
        source=CALENDAR,
        vendor=OURSELVES,
        kind=rule.kind,
        status=Status.FIRING,
        key=f"scheduled:{rule.name}",
        title=rule.title,
        summary=f"{rule.name} of {rule.origin} comes every {rule.recurs.every}; this one was due {iso(timer.at)}",
        vendor_severity=rule.severity,
        labels=dict(rule.labels),
        starts_at=timer.at,
    )
    signals.take(draft, event, draft.now)


def _wake(draft: Draft, rule: Scheduled) -> None:
    """For the first time it comes after now, and after the last time it came, whatever a clock says."""
    after = max(draft.now, int(draft.fact(_last(rule)) or 0))
    draft.wake(Wake.SCHEDULED, rule.name, recurring.next_after(rule.recurs, after), what=rule.title)


def _last(rule: Scheduled) -> str:
    return f"scheduled:{rule.name}"
