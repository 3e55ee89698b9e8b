"""Where each table of the state is stored, and what its records are."""

from ledger.keys import Keys
from routing.alerts.hints import Hint
from routing.decision import Table
from routing.delivery import Delivery, Ration
from routing.entry import OverrideSet, SilenceSet, SwitchSet
from routing.incident import Alert, Deploy, Incident, Window
from routing.public import Public
from routing.record import Record
from routing.run import Run, TargetRecord
from routing.state import Fact
from routing.timer import Timer
from routing.trial import Trial

RECORDS: dict[Table, type[Record]] = {
    Table.INCIDENT: Incident,
    Table.ALERT: Alert,
    Table.DELIVERY: Delivery,
    Table.NOTICE: Delivery,
    Table.RUN: Run,
    Table.TIMER: Timer,
    Table.WINDOW: Window,
    Table.DEPLOY: Deploy,
    Table.TARGET: TargetRecord,
    Table.SILENCE: SilenceSet,
    Table.OVERRIDE: OverrideSet,
    Table.SWITCH: SwitchSet,
    Table.RATION: Ration,
    Table.PUBLIC: Public,
    Table.HINT: Hint,
    Table.TRIAL: Trial,
    Table.FACT: Fact,
}

OWNED = (Table.ALERT, Table.DELIVERY, Table.RUN)
"""Kept in a hash of the incident they belong to, so that it can leave as a whole."""

SHARED = tuple(table for table in Table if table not in OWNED)


def place(keys: Keys, table: Table, incident: str) -> str:
    """The hash that holds a record. Raises ValueError when an owner is needed and missing."""
    if table not in OWNED:
        return keys.state(table)
    if not incident:
        raise ValueError(f"a record of table {table} names no incident; it belongs to one")
    return keys.owned(incident, table)
