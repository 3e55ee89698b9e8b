"""Expecting: what a window of an absence still waits for, and when that is missed. In whatever order it came."""

import msgspec

from routing.alerts.windows import RECALLED, mark_of
from routing.calendar.hours import FOREVER, Hours, around
from routing.incident import Window
from routing.policy import Absence


def asked(window: Window, vendor_id: str, at: int) -> Window:
    """An event that something is to follow; one that comes again counts once, at the earliest instant it came."""
    mark = mark_of(vendor_id)
    known = list(zip(window.times, window.marks, strict=True))
    if mark:
        at = min([at, *(time for time, name in known if name == mark)])
        known = [each for each in known if each[1] != mark]
    kept = sorted([*known, (at, mark)])
    if len(kept) > RECALLED:
        # What has been followed is only recalled; of the rest the first is missed first.
        del kept[0 if kept[0][0] <= window.came_at else -1]
    return msgspec.structs.replace(window, times=[time for time, _ in kept], marks=[name for _, name in kept])


def since(rule: Absence, window: Window) -> int:
    """Since when something is waited for (ms); 0: nothing is."""
    if rule.after:
        return next((time for time in window.times if time > window.came_at), 0)
    return window.came_at


def missed_at(rule: Absence, window: Window) -> int | None:
    """When what is waited for is missed (ms); None when nothing is waited for."""
    began = since(rule, window)
    if not began:
        return None
    return _later(rule.hours, began, rule.within_ms) if rule.hours else began + rule.within_ms


def _later(hours: Hours, at: int, left: int) -> int:
    """The instant at which so much time (ms) inside of the hours has passed."""
    while at < FOREVER:
        inside, _, until = around(hours, at)
        if inside and at + left <= until:
            return at + left
        if inside:
            left -= until - at
        at = until
    return FOREVER
