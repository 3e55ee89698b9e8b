"""Draft: the state as one entry is about to leave it, built up without touching the state itself.

The fold reads and writes the draft. If it raises, the draft is dropped and nothing has happened.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from routing.decision import Bury, Change, Decision, Drop, Note, Put, Retire, Table, Withdraw
from routing.delivery import Delivery, Progress
from routing.effect import AnyEffect
from routing.incident import WEIGHTY, Alert, Incident, Moment, Verdict
from routing.policy import Policy
from routing.reason import Reason
from routing.record import Record
from routing.ringing import may_ring
from routing.run import Run
from routing.state import Fact, State
from routing.timer import BOOKKEEPING, PREFIX, Timer, Wake

# Named once: up to Python 3.11 a member costs ten times a global, and these are asked for a hundred times an entry.
_INCIDENT, _ALERT, _DELIVERY, _NOTICE = Table.INCIDENT, Table.ALERT, Table.DELIVERY, Table.NOTICE
_RUN, _TIMER, _FACT = Table.RUN, Table.TIMER, Table.FACT
_PENDING = Progress.PENDING

R = TypeVar("R", bound=Record)
_New = dict[str, Put | None]
_NONE: _New = {}
_KEPT = Put(_FACT, "", Record())
"""Of a record that this entry neither puts nor drops: it is as the state has it."""
_GONE = "-"
"""Whose a record was that an incident owned which is retired: no incident is called so."""


class Draft:
    """One entry's changes over a state. `now` is when it is decided, `at` when it was appended (ms)."""

    def __init__(self, policy: Policy, state: State, entry: str, now: int, client: str = "") -> None:
        self.policy = policy
        self.state = state
        self.entry = entry
        self.now = now
        self.client = client
        """How and from where the entry came, for the audit."""
        self.verdict: Verdict | None = None
        self.about = ""
        """The entry that the verdict is about, where it is not this one."""
        self.touched: set[str] = set()
        """Incidents that are new, or whose phase or planned timers changed: their next action is found anew."""
        self._alerts_changed = False
        """In more than a count."""
        # What is asked for again and again has a name of its own besides.
        self._incidents: _New = {}
        self._deliveries: _New = {}
        self._timers: _New = {}
        self._new = {_INCIDENT: self._incidents, _DELIVERY: self._deliveries, _TIMER: self._timers}
        """By table what this entry has put, and None for what it has dropped."""
        self._changes: list[Change] = []
        self._effects: dict[str, AnyEffect] = {}

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────

    def find(self, table: Table, key: str, kind: type[R]) -> R | None:
        put = self._new.get(table, _NONE).get(key, _KEPT)
        found = self.state.tables[table].get(key) if put is _KEPT else put and put.record
        return found if isinstance(found, kind) else None

    def incident(self, key: str) -> Incident | None:
        # As `find`, which takes longer: nothing is asked for as often as this and the timers.
        put = self._incidents.get(key, _KEPT)
        if put is _KEPT:
            return self.state.tables[_INCIDENT].get(key)  # type: ignore[return-value]  # the table holds nothing else
        return put and put.record  # type: ignore[return-value]

    def alert(self, fingerprint: str) -> Alert | None:
        return self.find(_ALERT, fingerprint, Alert)

    def delivery(self, key: str) -> Delivery | None:
        return self.find(_DELIVERY, key, Delivery) or self.find(_NOTICE, key, Delivery)

    def run(self, key: str) -> Run | None:
        return self.find(_RUN, key, Run)

    def timer(self, wake: Wake, subject: str) -> Timer | None:
        key = PREFIX[wake] + subject
        put = self._timers.get(key, _KEPT)
        if put is _KEPT:
            return self.state.tables[_TIMER].get(key)  # type: ignore[return-value]  # the table holds nothing else
        return put and put.record  # type: ignore[return-value]

    def fact(self, key: str) -> str:
        found = self.find(_FACT, key, Fact)
        return found.value if found else ""

    def has_put(self, table: Table) -> bool:
        """Whether this entry has put, or dropped, anything of a table so far."""
        return bool(self._new.get(table))

    def changed(self, table: Table) -> list[str]:
        """Keys of the records of a table that this entry has put so far."""
        new = self._new.get(table)
        return [key for key, put in new.items() if put is not None] if new else []

    def changed_deliveries(self) -> list[Delivery]:
        """The incidents' deliveries that this entry has put so far."""
        found: list[Delivery] = []
        for put in self._deliveries.values():
            if put is not None:
                found.append(put.record)  # type: ignore[arg-type]  # noqa: PERF401  # a comprehension is a call
        return found

    def changed_incidents(self) -> Iterable[Incident]:
        """The incidents that this entry has put so far, each as it is when its turn comes."""
        if len(self._incidents) > 1:
            return self._each_changed(self._incidents)
        for put in self._incidents.values():  # nearly always: one has no later turn
            return (put.record,) if put is not None else ()  # type: ignore[return-value]  # it holds nothing else
        return ()

    def _each_changed(self, new: Mapping[str, Put | None]) -> Iterator[Incident]:
        for key in tuple(new):
            put = new[key]
            if put is not None:
                yield put.record  # type: ignore[misc]  # the table holds nothing else

    def is_weighty(self) -> bool:
        """Whether something may follow from how the incidents and alerts are now, that has not followed already."""
        if self._alerts_changed:
            return True
        for now in self.changed_incidents():
            before = self.state.tables[_INCIDENT].get(now.id)
            new = before is None or now.reviewed != self.policy.version
            if new or now.drill or WEIGHTY(before) != WEIGHTY(now):
                return True
        return False

    def owned(self, incident: str, table: Table, kind: type[R]) -> list[R]:
        """All live records of a kind that belong to an incident, by key."""
        return self._among(self.state.keys_of(incident, table), incident, table, kind)

    def unclaimed(self, incident: str) -> list[Delivery]:
        """The incident's deliveries that no worker has taken up, by key."""
        keys: frozenset[str] | set[str] = self.state.unclaimed.get(incident, frozenset())
        found = self._among(keys, incident, _DELIVERY, Delivery)
        return [each for each in found if each.progress is _PENDING]

    def ringing(self, incident: str) -> list[Delivery]:
        """The incident's pages that a provider has taken and nobody has answered, by key; old ones may be left out."""
        found = self._among(self.state.ringing.of(incident), incident, _DELIVERY, Delivery)
        return [each for each in found if may_ring(each)]

    def _among(self, known: Collection[str], incident: str, table: Table, kind: type[R]) -> list[R]:
        """Those of the known keys, and of what this entry has put, that belong to the incident."""
        new, old = self._new.get(table, _NONE), self.state.tables[table]
        keys: Collection[str] = {*known, *new} if new else known
        found = []
        for key in sorted(keys):
            record = old.get(key) if key not in new else put.record if (put := new[key]) is not None else None
            if isinstance(record, kind) and record.incident == incident:  # type: ignore[attr-defined]  # what is owned
                found.append(record)
        return found

    def first_timer(self, incident: str, but: Collection[str] = ()) -> Timer | None:
        """The incident's earliest timer, of those that decide something about it and are none of `but`."""
        changed = self._timers
        first = self.state.agenda.first(incident, {*changed, *but} if but else changed)
        for put in changed.values():
            record = put.record if put is not None else None
            if (
                isinstance(record, Timer)
                and record.incident == incident
                and record.wake not in BOOKKEEPING
                and record.id not in but
                and (first is None or (record.at, record.id) < (first.at, first.id))
            ):
                first = record
        return first

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────

    def put(self, table: Table, key: str, record: Record, incident: str = "") -> None:
        """The last of several is what is written, in the place of the first."""
        new = self._new.get(table)
        if new is None:
            new = self._new[table] = {}
        put = new.get(key)
        if put is not None and put.incident == incident:
            put.record = record
        else:
            put = new[key] = Put(table, key, record, incident)
            self._changes.append(put)

    def drop(self, table: Table, key: str, incident: str = "") -> None:
        if self.find(table, key, Record) is not None:
            self._drop(table, key, incident)

    def _drop(self, table: Table, key: str, incident: str) -> None:
        self._new.setdefault(table, {})[key] = None
        self._changes.append(Drop(table, key, incident))

    def put_incident(self, incident: Incident) -> None:
        known: Incident | None = self.state.tables[_INCIDENT].get(incident.id)  # type: ignore[assignment]
        if known is None or known.phase is not incident.phase:
            self.touched.add(incident.id)
        self.put(_INCIDENT, incident.id, incident)

    def put_alert(self, alert: Alert) -> None:
        self._alerts_changed = True
        self.put(_ALERT, alert.fingerprint, alert, alert.incident)

    def put_repeated(self, alert: Alert) -> None:
        """It is counted up, and nothing else: what followed from it has followed already."""
        self.put(_ALERT, alert.fingerprint, alert, alert.incident)

    def mark_reviewed(self, incidents: Collection[str]) -> None:
        """These were looked at under this policy; others that this entry has put since are to be."""
        for incident in self.changed_incidents():
            version = self.policy.version if incident.id in incidents else ""
            if incident.reviewed != version:
                self.put(_INCIDENT, incident.id, msgspec.structs.replace(incident, reviewed=version))

    def put_delivery(self, delivery: Delivery) -> None:
        self.put(_DELIVERY if delivery.incident else _NOTICE, delivery.id, delivery, delivery.incident)

    def put_run(self, run: Run) -> None:
        self.put(_RUN, run.id, run, run.incident)

    def put_fact(self, key: str, value: str) -> None:
        self.put(_FACT, key, Fact(value=value))

    def wake(
        self, wake: Wake, subject: str, at: int, *, incident: str = "", what: str = "", tries: int = 0
    ) -> None:
        """Set the timer, or move it."""
        timer = Timer(
            id=PREFIX[wake] + subject,
            wake=wake,
            subject=subject,
            at=at,
            incident=incident,
            what=what,
            tries=tries,
        )
        self.put(_TIMER, timer.id, timer, incident)
        self._touch(wake, incident)

    def unwake(self, wake: Wake, subject: str) -> None:
        timer = self.timer(wake, subject)
        if timer is not None:
            self._drop(_TIMER, timer.id, timer.incident)
            self._touch(wake, timer.incident)

    def unwake_all(self, wakes: Iterable[Wake], subject: str) -> None:
        """Of a dozen that might be set, one is: those that are not cost next to nothing."""
        new, known = self._timers, self.state.tables[_TIMER]
        for wake in wakes:
            key = PREFIX[wake] + subject
            if key in known or (new and key in new):
                self.unwake(wake, subject)

    def _touch(self, wake: Wake, incident: str) -> None:
        if wake not in BOOKKEEPING:
            self.touched.add(incident)

    def note(self, incident: str, what: str, *reasons: Reason, by: str = "") -> None:
        """A line for the incident's timeline. What belongs to no incident has none."""
        if not incident:
            return
        moment = Moment(
            at=self.now, what=what, by=by, reasons=list(reasons), entry=self.entry, policy=self.policy.version,
            client=self.client if by else "",
        )  # fmt: skip
        self._changes.append(Note(incident, moment))

    def emit(self, effect: AnyEffect) -> None:
        """Want this done; replaces an earlier wish of the same id."""
        self._effects[effect.id] = effect

    def withdraw(self, effect: str) -> None:
        self._effects.pop(effect, None)
        self._changes.append(Withdraw(effect))

    def bury(self, kind: str, subject: str, incident: str, error: str, raw: bytes = b"") -> None:
        self._changes.append(Bury(kind, subject, incident, error, raw))

    def retire(self, incident: str) -> None:
        # What is put from here on is not of what retires.
        for new in self._new.values():
            for key, put in new.items():
                new[key] = put and Put(put.table, key, put.record, _GONE)
        self._changes.append(Retire(incident))

    def decision(self) -> Decision:
        return Decision(tuple(self._changes), tuple(self._effects.values()), self.verdict, self.about)
