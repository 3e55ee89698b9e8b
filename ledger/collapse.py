"""Collapse: what is left to write of a batch of decisions. Of several changes of one record, the last."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from ledger.position import Position, instant_of, lane_of
from routing.decision import Bury, Change, Decision, Drop, Note, Put, Retire, Table, Withdraw
from routing.effect import AnyEffect
from routing.entry import Lane, SwitchSet
from routing.record import Record
from routing.timer import Timer

HOUR_MS = 3_600_000
"""Verdicts are kept by the hour of their entry."""

_KILL = "kill"
_encode = msgspec.json.Encoder().encode


def _place(about: str, entry_id: Position, lane: Lane) -> tuple[Position, Lane]:
    """Where the verdict belongs: to the entry it is about."""
    found = lane_of(about) if about else None
    return (about, found) if found is not None else (entry_id, lane)


class Collapsed:
    """What a batch of decisions comes down to, in the order it was first mentioned."""

    def __init__(self, batch: Sequence[tuple[Lane, Position, Decision]]) -> None:
        self.records: dict[tuple[Table, str, str], Record | None] = {}
        """(table, owner, key) -> the record; None when it goes."""
        self.timers: dict[str, int | None] = {}
        """Timer -> when it is due; None when it goes."""
        self.notes: defaultdict[str, list[bytes]] = defaultdict(list)
        """Incident -> its new moments."""
        self.effects: dict[str, AnyEffect] = {}
        self.withdrawn: dict[str, None] = {}
        self.retired: dict[str, None] = {}
        self.buried: list[Bury] = []
        self.verdicts: defaultdict[tuple[Lane, int], dict[str, bytes]] = defaultdict(dict)
        """(lane, hour) -> entry id -> verdict."""
        self.kill: SwitchSet | None = None
        """The kill switch, when it was moved."""
        for lane, entry_id, decision in batch:
            self._add(lane, entry_id, decision)

    @property
    def touched(self) -> set[str]:
        """Incidents with something new: a record of their own, or a line in their timeline."""
        owners = {
            key if table is Table.INCIDENT else incident
            for table, incident, key in self.records
            if incident or table is Table.INCIDENT
        }
        return owners | self.notes.keys()

    def _add(self, lane: Lane, entry_id: Position, decision: Decision) -> None:
        for change in decision.changes:
            self._change(change)
        for effect in decision.effects:
            self.effects[effect.id] = effect
        if decision.verdict is not None:
            at, lane = _place(decision.about, entry_id, lane)
            self.verdicts[lane, instant_of(at) // HOUR_MS][at] = _encode(decision.verdict)

    def _change(self, change: Change) -> None:
        if isinstance(change, Put):
            self._put(change)
        elif isinstance(change, Note):
            self.notes[change.incident].append(_encode(change.moment))
        elif isinstance(change, Drop):
            self._drop(change)
        elif isinstance(change, Withdraw):
            self.effects.pop(change.effect, None)
            self.withdrawn[change.effect] = None
        elif isinstance(change, Retire):
            self.retired[change.incident] = None
        else:
            self.buried.append(change)

    def _put(self, put: Put) -> None:
        self.records[put.table, put.incident, put.key] = put.record
        if isinstance(put.record, Timer):
            self.timers[put.key] = put.record.at
        elif isinstance(put.record, SwitchSet) and put.key == _KILL:
            self.kill = put.record

    def _drop(self, drop: Drop) -> None:
        self.records[drop.table, drop.incident, drop.key] = None
        if drop.table is Table.TIMER:
            self.timers[drop.key] = None
        elif drop.table is Table.SWITCH and drop.key == _KILL:
            self.kill = SwitchSet(at=0, name=_KILL, on=False)
