"""Reports on a while: read beside the requests, one at a time, and remembered, as each reads every incident of it."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import structlog

from console.context import Context
from console.drills import Ended, answered_after, reported
from console.periods import Period
from ledger.views.reports.period import cases, measure
from routing.instant import MINUTE

MOST = 20_000
"""Incidents of one report; where there are more it says so, and the command line reads them all."""
PATIENCE_S = 0.03
"""So long whoever looks waits for what is being read, before they are shown what was read last, or how far it is."""
_REMEMBERED = 20
_WAITING = 5
"""Readings that wait for their turn; who asks for yet another one asks again."""
_DRILLS = ("drills", "")
"""What no while is called."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Measured:
    """As `ledger.views.reports.period.measure` tells it. `at` ms, when it was read. `cut`: there are older ones."""

    facts: dict[str, Any]
    at: int
    cut: bool


@dataclass(slots=True)
class Reading:
    """`read` incidents so far. `over` once it has ended, well or not."""

    read: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None

    def note(self, more: int) -> None:
        self.read += more


@dataclass(frozen=True, slots=True)
class Look:
    """What was read last, None before the first time; and the reading that is under way, if one is."""

    found: Measured | None
    reading: Reading | None


@dataclass(slots=True)
class Reports:
    """`name` is what a period is called. What is older than a minute is read anew once somebody asks for it."""

    _known: OrderedDict[tuple[str, str], Measured] = field(default_factory=OrderedDict)
    _reading: dict[tuple[str, str], Reading] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def look(self, context: Context, name: str, period: Period, zone: str, now: int) -> Look:
        """At once, or nearly. Raises ValueError when the period ends before it begins, and what reading raised."""
        bounds = _bounds(period, zone, now)
        return self._look((name, zone), lambda on: _measured(context, bounds, zone, now, on), now)

    def drills(self, context: Context, now: int) -> Look:
        """Fire drills, newest first in `facts["held"]`; in `facts["drills"]` all together. As `look`."""
        return self._look(_DRILLS, lambda on: _drills(context, now, on), now)

    def _look(self, key: tuple[str, str], measured: Callable[[Reading], Measured], now: int) -> Look:
        reading = self._read(key, measured, now)
        if reading is not None and reading.over.wait(PATIENCE_S):
            if reading.error is not None:
                raise reading.error
            reading = None
        return Look(self._known.get(key), reading)

    def get(self, context: Context, name: str, period: Period, zone: str, now: int) -> Measured:
        """Once it is there. Raises as `look`."""
        while True:
            look = self.look(context, name, period, zone, now)
            if look.reading is None and look.found is not None:
                return look.found
            if look.reading is not None:
                look.reading.over.wait()

    def _read(
        self, key: tuple[str, str], measured: Callable[[Reading], Measured], now: int
    ) -> Reading | None:
        """The reading of it that is under way, begun by this where it must be; None where it was read lately."""
        with self._lock:
            known = self._known.get(key)
            if known is not None and now - known.at < MINUTE:
                return None
            reading = self._reading.get(key)
            if reading is None:
                reading = Reading()
                if len(self._reading) < _WAITING:
                    self._reading[key] = reading
                    work = threading.Thread(target=self._work, args=(key, reading, measured), daemon=True)
                    work.start()
            return reading

    def _work(self, key: tuple[str, str], reading: Reading, measured: Callable[[Reading], Measured]) -> None:
        found = None
        try:
            with self._turn:
                found = measured(reading)
        except Exception as error:  # noqa: BLE001  # whoever looks on is told
            _log.warning("a report could not be read", error=type(error).__name__)
            reading.error = error
        with self._lock:
            del self._reading[key]
            if found is not None:
                self._known[key] = found
                self._known.move_to_end(key)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        reading.over.set()


def _bounds(period: Period, zone: str, now: int) -> tuple[int, int]:
    since, until = period(now, zone)
    if since >= until:
        raise ValueError("this while ends before it begins; write the earlier day first")
    return since, until


def _measured(context: Context, bounds: tuple[int, int], zone: str, now: int, on: Reading) -> Measured:
    since, until = bounds
    zones = {name: contact.timezone for name, contact in context.policy.contacts.items()}
    found = list(islice(cases(context.store, since, until, on.note), MOST + 1))
    return Measured(measure(found[:MOST], since, until, now, zones, zone), now, len(found) > MOST)


def _drills(context: Context, now: int, on: Reading) -> Measured:
    found = []
    for incident, _ in islice(context.store.incidents(), MOST):
        found += [incident] if incident.drill else []
        on.note(1)
    held = [Ended(incident, answered_after(incident)).as_json() for incident in found]
    return Measured({"drills": reported(found), "held": held}, now, on.read == MOST)
