"""State: everything live, in memory, as the log has made it so far.

Only `apply` changes it. A dispatcher loads it once per lease and throws it away when a commit fails.
"""

from collections import defaultdict

from routing.agenda import Agenda
from routing.decision import Decision, Drop, Put, Retire, Table
from routing.delivery import Delivery
from routing.incident import Alert, Incident, Phase
from routing.pages import Pages
from routing.record import Record
from routing.timer import Timer
from routing.waiting import Waiting


class Fact(Record, frozen=True, kw_only=True):
    value: str


class State:
    """Tables of records, and the indexes the fold needs."""

    def __init__(self) -> None:
        self.tables: dict[Table, dict[str, Record]] = {table: {} for table in Table}
        self.open_groups: dict[str, str] = {}
        """Group key -> the incident that new alerts with this key join."""
        self.owned: defaultdict[str, dict[Table, set[str]]] = defaultdict(dict)
        """Incident -> keys of the records it owns, by table."""
        self.agenda = Agenda(self.tables[Table.TIMER])
        self.pages = Pages()
        self.waiting = Waiting()

    def get(self, table: Table, key: str) -> Record | None:
        return self.tables[table].get(key)

    def keys_of(self, incident: str, table: Table) -> frozenset[str] | set[str]:
        """Keys of the alerts, deliveries, runs or timers that belong to an incident."""
        return self.owned[incident].get(table, frozenset()) if incident in self.owned else frozenset()

    def timers(self) -> dict[str, Timer]:
        return self.tables[Table.TIMER]  # type: ignore[return-value]  # the table holds nothing else

    def apply(self, decision: Decision) -> None:
        for change in decision.changes:
            if isinstance(change, Put):
                self._put(change)
            elif isinstance(change, Drop):
                self._drop(change)
            elif isinstance(change, Retire):
                self._retire(change.incident)

    def load(self, put: Put) -> None:
        """Take over one record as it was stored.

        An alert that fired again in a later incident is stored with both; the later one is the live one.
        """
        known = self.tables[put.table].get(put.key)
        if isinstance(known, Alert) and isinstance(put.record, Alert) and _age(known) > _age(put.record):
            return
        self._put(put)

    def _put(self, put: Put) -> None:
        old = self.tables[put.table].get(put.key)
        self.tables[put.table][put.key] = put.record
        if put.incident:
            self.owned[put.incident].setdefault(put.table, set()).add(put.key)
        if isinstance(put.record, Timer):
            self.agenda.put(old, put.record)
        elif isinstance(put.record, Incident):
            self._regroup(old, put.record)
            if put.record.phase is Phase.RESOLVED:
                self._unanswerable(put.key)
        elif isinstance(put.record, Delivery):
            self.waiting.put(old, put.record)
            if old is None and self._is_open(put.incident):
                self.pages.put(put.record)
        elif isinstance(old, Alert) and isinstance(put.record, Alert) and old.incident != put.record.incident:
            self.owned[old.incident].get(put.table, set()).discard(put.key)

    def _regroup(self, old: Record | None, incident: Incident) -> None:
        if isinstance(old, Incident) and old.group != incident.group:
            self._ungroup(old)
        if incident.group:
            for group in (incident.group, *incident.merged_groups):
                self.open_groups[group] = incident.id

    def _ungroup(self, incident: Incident) -> None:
        for group in (incident.group, *incident.merged_groups):
            if self.open_groups.get(group) == incident.id:
                del self.open_groups[group]

    def _is_open(self, incident: str) -> bool:
        known = self.tables[Table.INCIDENT].get(incident)
        return isinstance(known, Incident) and known.phase is not Phase.RESOLVED

    def _unanswerable(self, incident: str) -> None:
        for key in self.keys_of(incident, Table.DELIVERY):
            delivery = self.tables[Table.DELIVERY].get(key)
            if isinstance(delivery, Delivery):
                self.pages.drop(delivery)

    def _drop(self, drop: Drop) -> None:
        gone = self.tables[drop.table].pop(drop.key, None)
        if isinstance(gone, Timer):
            self.agenda.drop(gone)
        if drop.incident and drop.incident in self.owned:
            self.owned[drop.incident].get(drop.table, set()).discard(drop.key)

    def _retire(self, incident: str) -> None:
        self._unanswerable(incident)
        for table, keys in self.owned.pop(incident, {}).items():
            for key in keys:
                found = self.tables[table].get(key)
                if isinstance(found, Alert) and found.incident != incident:
                    continue
                if isinstance(found, Delivery):
                    self.waiting.drop(found)
                self.tables[table].pop(key, None)
        self.agenda.forget(incident)
        gone = self.tables[Table.INCIDENT].pop(incident, None)
        if isinstance(gone, Incident):
            self._ungroup(gone)


def _age(alert: Alert) -> tuple[int, int]:
    return alert.last_seen_at, alert.first_seen_at
