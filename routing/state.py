"""State: everything live, in memory, as the log has made it so far.

Only `apply` changes it. A dispatcher loads it once per lease and throws it away when a commit fails.
"""

from collections import defaultdict
from collections.abc import Callable

from routing.agenda import Agenda
from routing.decision import Decision, Drop, Put, Retire, Table
from routing.delivery import Delivery, Progress, Purpose
from routing.entry import SilenceSet
from routing.incident import Alert, Incident, Phase
from routing.language import matchers
from routing.language.index import Index
from routing.noise.standing import Standing
from routing.pages import ANSWERED, Pages
from routing.policy import Policy
from routing.record import Record
from routing.ringing import Ringing
from routing.timer import Timer
from routing.waiting import Waiting

# Named once, as in `routing.draft`: asked for again and again.
_PENDING, _PAGE = Progress.PENDING, Purpose.PAGE
_INCIDENT, _TIMER, _DELIVERY, _SILENCE, _OVERRIDE = (
    Table.INCIDENT,
    Table.TIMER,
    Table.DELIVERY,
    Table.SILENCE,
    Table.OVERRIDE,
)
_RESOLVED = Phase.RESOLVED


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
        self.held: defaultdict[str, set[str]] = defaultdict(set)
        """What mutes -> the incidents that it holds back."""
        self.agenda = Agenda(self.tables[_TIMER])
        self.pages = Pages()
        self.waiting = Waiting()
        self.unclaimed: defaultdict[str, set[str]] = defaultdict(set)
        """Incident -> its deliveries that no worker has taken up; it may have had hundreds."""
        self.ringing = Ringing()
        self.standing = Standing()
        self._followed: Policy | None = None
        self.on_call: dict[str, object] = {}
        """Schedule -> what `routing.oncall.now` found last; forgotten when any override changes."""
        self._silences: Index[SilenceSet] | None = None

    def follow(self, policy: Policy) -> None:
        """Know the firing alerts by the relations of this policy; costs nothing while it stays the same."""
        if policy is self._followed:
            return
        self._followed = policy
        if not self.standing.follows(policy):
            self.standing = Standing(policy)
            for alert in self.tables[Table.ALERT].values():
                if isinstance(alert, Alert):
                    self.standing.put(None, alert)

    @property
    def silences(self) -> Index[SilenceSet]:
        """All silences by their matchers."""
        if self._silences is None:
            known = [each for each in self.tables[_SILENCE].values() if isinstance(each, SilenceSet)]
            self._silences = Index((tuple(map(matchers.parse, each.matchers)), each) for each in known)
        return self._silences

    def get(self, table: Table, key: str) -> Record | None:
        return self.tables[table].get(key)

    def keys_of(self, incident: str, table: Table) -> frozenset[str] | set[str]:
        """Keys of the alerts, deliveries, runs or timers that belong to an incident."""
        return self.owned[incident].get(table, frozenset()) if incident in self.owned else frozenset()

    def timers(self) -> dict[str, Timer]:
        return self.tables[_TIMER]  # type: ignore[return-value]  # the table holds nothing else

    def apply(self, decision: Decision) -> None:
        for change in decision.changes:
            if type(change) is Put:
                self._put(change)
            elif type(change) is Drop:
                self._drop(change)
            elif type(change) is Retire:
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
        kind, key, owner = put.table, put.key, put.incident
        table = self.tables[kind]
        old = table.get(key)
        table[key] = put.record
        if owner and (old is None or old.incident != owner):  # type: ignore[attr-defined]  # what is owned says by whom
            self._own(put)
        if kind is _TIMER:
            self.agenda.put(old, put.record)  # type: ignore[arg-type]  # the table holds timers
        elif (follow := _FOLLOWING.get(kind)) is not None:
            follow(self, old, put)

    def _put_incident(self, old: Record | None, put: Put) -> None:
        if isinstance(put.record, Incident):
            known = old if isinstance(old, Incident) else None
            self._index(known, put.record)
            # Once: of what is resolved already there are none, and reminders may follow by the hundred.
            if put.record.phase is _RESOLVED and (known is None or known.phase is not _RESOLVED):
                self._unanswerable(put.key)

    def _put_delivery(self, old: Record | None, put: Put) -> None:
        delivery = put.record
        if not isinstance(delivery, Delivery):
            return
        if delivery.held or (isinstance(old, Delivery) and old.held):
            self.waiting.put(old, delivery)
        if delivery.progress is _PENDING:
            self.unclaimed[delivery.incident].add(delivery.id)
        elif delivery.incident in self.unclaimed:
            _discard(self.unclaimed, delivery.incident, delivery.id)
        if delivery.purpose is _PAGE:
            self.ringing.put(delivery)
        if old is None and delivery.purpose in ANSWERED and self._is_open(put.incident):
            self.pages.put(delivery)

    def _put_alert(self, old: Record | None, put: Put) -> None:
        if isinstance(put.record, Alert):
            known = old if isinstance(old, Alert) else None
            self.standing.put(known, put.record)
            if known is not None and known.incident != put.record.incident:
                self.owned[known.incident].get(put.table, set()).discard(put.key)

    def _put_silence(self, _old: Record | None, _put: Put) -> None:
        self._silences = None

    def _put_override(self, _old: Record | None, _put: Put) -> None:
        self.on_call.clear()

    def _own(self, put: Put) -> None:
        own = self.owned[put.incident]
        keys = own.get(put.table)
        if keys is None:
            own[put.table] = {put.key}
        else:
            keys.add(put.key)

    def _index(self, old: Incident | None, new: Incident) -> None:
        if old is not None and old.silenced_by and _is_held(old):
            _discard(self.held, old.silenced_by, old.id)
        if old is None or (old.group, old.also) != (new.group, new.also):
            if old is not None:
                self._forget_groups(old)
            for group in new.groups:
                self.open_groups[group] = new.id
        if new.silenced_by and _is_held(new):
            self.held[new.silenced_by].add(new.id)

    def _forget_groups(self, incident: Incident) -> None:
        for group in incident.groups:
            if self.open_groups.get(group) == incident.id:
                del self.open_groups[group]

    def _is_open(self, incident: str) -> bool:
        known = self.tables[_INCIDENT].get(incident)
        return isinstance(known, Incident) and known.phase is not _RESOLVED

    def _unanswerable(self, incident: str) -> None:
        for key in self.keys_of(incident, _DELIVERY):
            delivery = self.tables[_DELIVERY].get(key)
            if isinstance(delivery, Delivery):
                self.pages.drop(delivery)

    def _drop(self, drop: Drop) -> None:
        gone = self.tables[drop.table].pop(drop.key, None)
        if isinstance(gone, Timer):
            self.agenda.drop(gone)
        elif drop.table is _SILENCE:
            self._silences = None
        elif drop.table is _OVERRIDE:
            self.on_call.clear()
        if drop.incident and drop.incident in self.owned:
            self.owned[drop.incident].get(drop.table, set()).discard(drop.key)

    def _retire(self, incident: str) -> None:
        self._unanswerable(incident)
        self.unclaimed.pop(incident, None)
        self.ringing.forget(incident)
        for table, keys in self.owned.pop(incident, {}).items():
            for key in keys:
                found = self.tables[table].get(key)
                if isinstance(found, Alert):
                    if found.incident != incident:
                        continue
                    self.standing.drop(found)
                elif isinstance(found, Delivery):
                    self.waiting.drop(found)
                self.tables[table].pop(key, None)
        self.agenda.forget(incident)
        gone = self.tables[_INCIDENT].pop(incident, None)
        if isinstance(gone, Incident):
            self._forget_groups(gone)


_FOLLOWING: dict[Table, Callable[[State, Record | None, Put], None]] = {
    Table.INCIDENT: State._put_incident,  # noqa: SLF001  # its own, by table: asked for every record
    Table.DELIVERY: State._put_delivery,  # noqa: SLF001
    Table.ALERT: State._put_alert,  # noqa: SLF001
    Table.SILENCE: State._put_silence,  # noqa: SLF001
    Table.OVERRIDE: State._put_override,  # noqa: SLF001
}
"""What else follows from a record put into a table; `old` is what the table had before."""


def _discard(index: dict[str, set[str]], key: str, member: str) -> None:
    """Out of the index, and the key with its last member: keys would only ever become more."""
    if key in index:
        index[key].discard(member)
        if not index[key]:
            del index[key]


def _is_held(incident: Incident) -> bool:
    return incident.phase is Phase.TRIGGERED


def _age(alert: Alert) -> tuple[int, int]:
    return alert.last_seen_at, alert.first_seen_at
