"""Waiting: deliveries held back for each contact and method, until one message tells of them all."""

from collections import defaultdict
from collections.abc import Collection

from routing.delivery import BUNDLED, Delivery, Progress, ration_key
from routing.record import Record

# Named once, as in `routing.draft`: asked for again and again.
_PENDING = Progress.PENDING


class Waiting:
    """By `routing.delivery.ration_key`, then by what carries them; the state keeps it in step with its tables."""

    def __init__(self) -> None:
        self._by_key: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._by_carrier: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def put(self, old: Record | None, delivery: Delivery) -> None:
        """Take in what waits, leave out what does not any more; `old` is what the table had before."""
        if isinstance(old, Delivery) and old.held:
            self.drop(old)
        if delivery.held and delivery.held in BUNDLED and delivery.progress is _PENDING:
            place, key = self._place(delivery)
            place[key][delivery.id] = None

    def drop(self, delivery: Delivery) -> None:
        if delivery.held not in BUNDLED:
            return
        place, key = self._place(delivery)
        if key in place:
            place[key].pop(delivery.id, None)
            if not place[key]:
                del place[key]

    def _place(self, delivery: Delivery) -> tuple[defaultdict[str, dict[str, None]], str]:
        if delivery.carrier:
            return self._by_carrier, delivery.carrier
        return self._by_key, ration_key(delivery)

    def of(self, key: str) -> Collection[str]:
        """Ids of what waits, in the order it began to."""
        return self._by_key.get(key, ())

    def carried_by(self, delivery: str) -> Collection[str]:
        """Ids of what waits for a message that tells of it, too."""
        return self._by_carrier.get(delivery, ())
