"""Reports on a while, remembered for a minute: many look at the same one, and each reads every incident of it."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from console.context import Context
from console.periods import Period
from ledger.views.reports.period import cases, measure
from routing.instant import MINUTE

MOST = 20_000
"""Incidents of one report; where there are more it says so, and the command line reads them all."""
_REMEMBERED = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """As `ledger.views.reports.period.measure` tells it. `at` ms, when it was read. `cut`: there are older ones."""

    facts: dict[str, Any]
    at: int
    cut: bool


@dataclass(slots=True)
class Reports:
    """One reading at a time: who asks for the same meanwhile gets what that one brings."""

    _known: OrderedDict[tuple[str, str], Measured] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, context: Context, name: str, period: Period, zone: str, now: int) -> Measured:
        """`name` is what the period is called. Raises ValueError when it ends before it begins."""
        with self._lock:
            known = self._known.get((name, zone))
            if known is None or now - known.at >= MINUTE:
                known = self._known[name, zone] = _read(context, period, zone, now)
                while len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
            return known


def _read(context: Context, period: Period, zone: str, now: int) -> Measured:
    since, until = period(now, zone)
    if since >= until:
        raise ValueError("this while ends before it begins; write the earlier day first")
    zones = {name: contact.timezone for name, contact in context.policy.contacts.items()}
    found = list(islice(cases(context.store, since, until), MOST + 1))
    return Measured(measure(found[:MOST], since, until, now, zones, zone), now, len(found) > MOST)
