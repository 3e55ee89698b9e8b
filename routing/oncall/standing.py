"""What stands beside a schedule's configuration: overrides, and whose turn it was last in its round."""

from dataclasses import dataclass

from routing.decision import Table
from routing.entry import OverrideSet
from routing.state import Fact, State


@dataclass(frozen=True, slots=True)
class Standing:
    """`overrides` may be of other schedules, too. `last` is who was paged last by the schedule's round robin."""

    overrides: tuple[OverrideSet, ...] = ()
    last: str = ""


def standing(state: State, schedule: str) -> Standing:
    """As the state has it."""
    overrides = tuple(
        record
        for record in state.tables[Table.OVERRIDE].values()
        if isinstance(record, OverrideSet) and record.schedule == schedule
    )
    last = state.get(Table.FACT, last_key(schedule))
    return Standing(overrides, last.value if isinstance(last, Fact) else "")


def last_key(schedule: str) -> str:
    """The fact that holds who was paged last."""
    return f"last-paged:{schedule}"
