"""On call: who, at an instant, by a schedule's layers and what is laid over it for a time.

Nobody may be on call, and several people may be. The same schedule, overrides and instant give the same answer
for ever; nothing here reads a clock.
"""

from routing.oncall.duty import OnCall, shifts, who
from routing.oncall.neighbours import who_next, who_previous
from routing.oncall.now import now
from routing.oncall.standing import Standing, standing

__all__ = ["OnCall", "Standing", "now", "shifts", "standing", "who", "who_next", "who_previous"]
