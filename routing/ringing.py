"""Ringing: of each incident the pages that may still ring, found without looking at all that were ever sent for it.

Who acknowledges again and again what stays open has hundreds of pages behind them, and every time the phones that
ring are to be stilled.
"""

from collections import defaultdict
from collections.abc import Collection

from routing.delivery import Delivery, Progress, Purpose
from routing.instant import MINUTE

# Named once, as in `routing.draft`: asked for again and again.
_PAGE = Purpose.PAGE

RINGS_MS = 10 * MINUTE
"""No call lasts longer: what was taken before is over by itself."""
_RINGS = frozenset({Progress.SENT, Progress.DELIVERED})


def may_ring(page: Delivery) -> bool:
    """Whether the provider has taken it and nobody has answered, whatever its channel and its age."""
    return page.purpose is _PAGE and page.progress in _RINGS and bool(page.provider_id)


class Ringing:
    """The state keeps it in step with its tables. It may hold what is over: whoever asks looks at the age."""

    def __init__(self) -> None:
        self._by_incident: defaultdict[str, dict[str, int]] = defaultdict(dict)
        """When each of the pages changed (ms), about in this order."""

    def put(self, page: Delivery) -> None:
        if page.purpose is not _PAGE:
            return
        if may_ring(page):
            pages = self._by_incident[page.incident]
            pages.pop(page.id, None)
            pages[page.id] = page.changed_at
            self._forget_old(pages, page.changed_at - RINGS_MS)
        elif page.incident in self._by_incident:
            self._by_incident[page.incident].pop(page.id, None)

    def of(self, incident: str) -> Collection[str]:
        return self._by_incident[incident].keys() if incident in self._by_incident else ()

    def forget(self, incident: str) -> None:
        self._by_incident.pop(incident, None)

    def _forget_old(self, pages: dict[str, int], until: int) -> None:
        while pages:
            first = next(iter(pages))
            if pages[first] > until:
                return
            del pages[first]
