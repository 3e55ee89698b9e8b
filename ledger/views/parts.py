"""Parts of one incident, live or retired: so much of what it owns as somebody looks at, and how much there is.

After a storm an incident may own a hundred thousand alerts, and after a long night hundreds of runs with what their
steps brought: nobody waits for all of it to see a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ledger import wire
from ledger.views.store import Store
from ledger.wire import text
from routing.decision import Table
from routing.incident import Alert, Moment
from routing.record import Record, decode

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Parts:
    """Of the incident with this id."""

    store: Store
    id: str
    retired: bool

    def latest(self, table: Table, kind: type[R], most: int, skip: int = 0) -> tuple[list[R], int]:
        """Of its deliveries or runs, which are numbered, the last ones first, behind the first `skip`; and how many
        there are in all.
        """
        names = sorted(self._names(table), key=_number, reverse=True)
        wanted = names[skip : skip + most]
        return [decode(kind, raw) for raw in self._records(table, wanted)], len(names)

    def one(self, table: Table, kind: type[R], key: str) -> R | None:
        found = self._records(table, [key])
        return decode(kind, found[0]) if found else None

    def alerts(self, most: int, cursor: int = 0) -> tuple[list[Alert], int, int]:
        """About `most` of them in no order; the cursor to go on with, 0 at the end; and how many there are in all."""
        if self.retired:
            names = self._names(Table.ALERT)
            page, after = names[cursor : cursor + most], cursor + most
            raws, after, of = self._records(Table.ALERT, page), after if after < len(names) else 0, len(names)
        else:
            raws, after = self.store.owned_page(self.id, Table.ALERT, most, cursor)
            of = int(wire.call(self.store.client, "HLEN", self.store.keys.owned(self.id, Table.ALERT)))
        return sorted((decode(Alert, raw) for raw in raws), key=lambda one: one.first_seen_at), after, of

    def moments(self, until: int, most: int) -> tuple[list[Moment], int, int]:
        """At most `most` moments of its timeline that end with the one numbered `until` from 1 on, 0 for the last.

        Returns them, the number of the last of them, and how many there are in all.
        """
        key, archive = self.store.keys.timeline(self.id), self.store.archive
        of = (
            archive.count_moments(self.id) if self.retired else int(wire.call(self.store.client, "LLEN", key))
        )
        last = min(until or of, of)
        first = max(0, last - most)
        if self.retired or not last:
            found = archive.moments(self.id, first, last - first)
        else:
            found = wire.call(self.store.client, "LRANGE", key, first, last - 1)
        return [decode(Moment, raw) for raw in found], last, of

    def _names(self, table: Table) -> list[str]:
        if self.retired:
            return self.store.archive.keys_of(self.id, table)
        found: list[bytes] = wire.call(self.store.client, "HKEYS", self.store.keys.owned(self.id, table))
        return [text(name) for name in found]

    def _records(self, table: Table, names: Sequence[str]) -> list[bytes]:
        if not names:
            return []
        if self.retired:
            kept = self.store.archive.some_owned(self.id, table, names)
            return [kept[name] for name in names if name in kept]
        found = wire.call(self.store.client, "HMGET", self.store.keys.owned(self.id, table), *names)
        return [raw for raw in found if raw is not None]


def _number(name: str) -> tuple[int, str]:
    """12 of "INC-1-d12" and of "INC-1-r12"."""
    digits = name.rpartition("-")[2][1:]
    return int(digits) if digits.isdecimal() else 0, name
