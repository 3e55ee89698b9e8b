"""Maintenance: windows of the week in which nobody is paged for what they match."""

from collections.abc import Mapping

from routing.calendar.hours import contains, next_end
from routing.draft import Draft
from routing.instant import iso
from routing.noise.mute import Mute
from routing.reason import Reason


def covering(draft: Draft, labels: Mapping[str, str]) -> Mute | None:
    """The window that mutes these labels longest now, if any."""
    found = [
        (next_end(window.hours, draft.now), window)
        for window in draft.policy.noise.by_maintenance.matching(labels)
        if contains(window.hours, draft.now)
    ]
    if not found:
        return None
    until_at, window = max(found, key=lambda each: (each[0], each[1].name))
    text = f"maintenance until {iso(until_at)}: {window.reason}"
    reason = Reason(text=text, rule=f"maintenance {window.name}", origin=str(window.origin))
    return Mute(f"maintenance/{window.name}", until_at, reason)
