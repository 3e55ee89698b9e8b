"""Agenda: of each incident, its earliest timer, found without looking at all of them.

An incident may own 100,000 timers, one for each alert that must be reported again, and every entry asks.
"""

from collections import defaultdict
from collections.abc import Container, Mapping
from heapq import heapify, heappop, heappush

from routing.record import Record
from routing.timer import BOOKKEEPING, Timer

_SLACK = 64


class Agenda:
    """Heaps of (instant, id), one for each incident. What was moved or dropped is thrown out when met."""

    def __init__(self, timers: Mapping[str, Record]) -> None:
        """`timers` is the state's table: an entry that differs from it is stale."""
        self._timers = timers
        self._heaps: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        self._live: defaultdict[str, int] = defaultdict(int)

    def put(self, old: Record | None, timer: Timer) -> None:
        """Take in a timer that is in the table now; `old` is what the table had before."""
        if old is not None:
            self.drop(old)  # type: ignore[arg-type]  # the table holds timers
        if timer.wake in BOOKKEEPING or not timer.incident:
            return
        heap = self._heaps[timer.incident]
        heappush(heap, (timer.at, timer.id))
        self._live[timer.incident] += 1
        if len(heap) > 2 * self._live[timer.incident] + _SLACK:
            self._heaps[timer.incident] = kept = list(
                {entry for entry in heap if self._holds(timer.incident, entry)}
            )
            heapify(kept)

    def drop(self, timer: Timer) -> None:
        """The timer is in the table no more, or moves."""
        if timer.wake not in BOOKKEEPING and timer.incident:
            self._live[timer.incident] -= 1

    def forget(self, incident: str) -> None:
        self._heaps.pop(incident, None)
        self._live.pop(incident, None)

    def first(self, incident: str, but: Container[str]) -> Timer | None:
        """The earliest timer of an incident that decides something about it, those of `but` left out."""
        heap = self._heaps.get(incident)
        if not heap:
            return None
        aside, found = [], None
        while heap and found is None:
            entry = heap[0]
            if not self._holds(incident, entry):
                heappop(heap)
            elif entry[1] in but:
                aside.append(heappop(heap))
            else:
                found = self._timers[entry[1]]
        for entry in aside:
            heappush(heap, entry)
        return found if isinstance(found, Timer) else None

    def _holds(self, incident: str, entry: tuple[int, str]) -> bool:
        timer = self._timers.get(entry[1])
        return isinstance(timer, Timer) and timer.at == entry[0] and timer.incident == incident
