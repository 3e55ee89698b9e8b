"""Every command that works over a console."""

from collections.abc import Mapping

from console.remote import incidents, oncall, people, reached, replay, reports, store, trying
from console.remote.over import Does

TABLE: Mapping[str, Does] = {
    **incidents.COMMANDS,
    **store.COMMANDS,
    **oncall.COMMANDS,
    **reached.COMMANDS,
    **people.COMMANDS,
    **reports.COMMANDS,
    **replay.COMMANDS,
    **trying.COMMANDS,
}
