"""Waiting: the deliveries held back for each contact and method, to be told of in one message."""

from collections import defaultdict
from collections.abc import Collection

from routing.delivery import BUNDLED, Delivery, Progress, ration_key
from routing.record import Record


class Waiting:
    """By `routing.delivery.ration_key`; the state keeps it in step with its tables."""

    def __init__(self) -> None:
        self._by_key: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def put(self, old: Record | None, delivery: Delivery) -> None:
        """Take in what waits, leave out what does not any more; `old` is what the table had before."""
        if isinstance(old, Delivery):
            self.drop(old)
        if delivery.held in BUNDLED and delivery.progress is Progress.PENDING and not delivery.carrier:
            self._by_key[ration_key(delivery)][delivery.id] = None

    def drop(self, delivery: Delivery) -> None:
        if delivery.held not in BUNDLED:
            return
        key = ration_key(delivery)
        if key in self._by_key:
            self._by_key[key].pop(delivery.id, None)
            if not self._by_key[key]:
                del self._by_key[key]

    def of(self, key: str) -> Collection[str]:
        """Ids of what waits, in the order it began to."""
        return self._by_key.get(key, {}).keys()
