"""Pages: to each address the pages that may still be answered, so that a bare "ack" finds the latest at once.

What asks for approval is kept apart: "approve" means the latest of those.

A person may have been paged for 100,000 incidents; whoever answers must not wait until all were looked at.
"""

import re
from bisect import bisect_left, insort
from collections import defaultdict
from functools import lru_cache

from routing.delivery import Delivery, Purpose

_Entry = tuple[int, int, int, str]
"""When it was created, the numbers of its incident and of itself, its id: the latest sorts last."""

_Place = tuple[Purpose, str]
ANSWERED = frozenset({Purpose.PAGE, Purpose.APPROVAL})


class Pages:
    """Of open incidents only; the state keeps it in step with its tables."""

    def __init__(self) -> None:
        self._by_address: defaultdict[_Place, list[_Entry]] = defaultdict(list)

    def put(self, page: Delivery) -> None:
        if page.purpose not in ANSWERED:
            return
        entries, entry = self._by_address[_place(page)], _entry(page)
        if not entries or entry > entries[-1]:
            entries.append(entry)
        elif not _holds(entries, entry):
            insort(entries, entry)

    def drop(self, page: Delivery) -> None:
        if page.purpose not in ANSWERED:
            return
        place, entry = _place(page), _entry(page)
        entries = self._by_address.get(place, [])
        if _holds(entries, entry):
            del entries[bisect_left(entries, entry)]
        if not entries:
            self._by_address.pop(place, None)

    def latest(self, address: str, purpose: Purpose = Purpose.PAGE) -> str:
        """The id of the latest of them to this address, however it is written; "" when there is none."""
        entries = self._by_address.get((purpose, digits(address)))
        return entries[-1][3] if entries else ""


@lru_cache(maxsize=4096)
def digits(address: str) -> str:
    """The address without what people put between digits: "+48 500-100-200" is one with "+48500100200"."""
    return re.sub(r"[^\w@.]", "", address).lower()


def _place(page: Delivery) -> _Place:
    return page.purpose, digits(page.address)


def _entry(page: Delivery) -> _Entry:
    return page.created_at, _number(page.incident), _number(page.id), page.id


def _number(text: str) -> int:
    """3 of "INC-12-d3", 12 of "INC-12"."""
    return int(text[len(text.rstrip("0123456789")) :] or 0)


def _holds(entries: list[_Entry], entry: _Entry) -> bool:
    at = bisect_left(entries, entry)
    return at < len(entries) and entries[at] == entry
