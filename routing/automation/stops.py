"""Stops: what holds for all of automation at once, the kill switch and change freezes."""

from routing.calendar.hours import FOREVER, around
from routing.decision import Table
from routing.draft import Draft
from routing.entry import SwitchSet
from routing.instant import iso

KILL = "kill"
FREEZE = "freeze"


def reason(draft: Draft, *, by_hand: bool, reads: bool) -> str:
    """Why no runbook may start now; "" when one may.

    A freeze holds for what would change something by itself: not for what only `reads`, and a person who starts
    one knows of it.
    """
    killed = draft.find(Table.SWITCH, KILL, SwitchSet)
    if killed is not None:
        return "the kill switch is on" + _because(killed)
    if by_hand or reads:
        return ""
    frozen = draft.find(Table.SWITCH, FREEZE, SwitchSet)
    if frozen is not None:
        return f"change freeze by {frozen.by or 'somebody'}" + _because(frozen)
    hours = draft.policy.freeze
    inside, _, until = around(hours, draft.now) if hours else (False, 0, 0)
    if hours is None or not inside:
        return ""
    end = f" until {iso(until)}" if until < FOREVER else ""
    return f"change freeze in {hours.name} hours{end}"


def _because(switch: SwitchSet) -> str:
    return f": {switch.reason}" if switch.reason else ""
