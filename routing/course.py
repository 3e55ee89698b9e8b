"""Course: how far an incident has come in the process by which it is run."""

from enum import StrEnum

from routing.record import Record


class Passage(StrEnum):
    ASSESSMENT = "assessment"
    COORDINATION = "coordination"
    RESOLUTION = "resolution"
    RECOVERY = "recovery"
    """Resolved, and watched for a regression."""
    CLOSED = "closed"


class Course(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Instants in ms; 0: none."""

    passage: Passage
    since_at: int
    until_at: int = 0
    roles: dict[str, str] = {}
    """Role -> contact."""
    update_due_at: int = 0
    updated_at: int = 0
    """When it was last said how it stands, or the first update began to be owed."""
    missed: int = 0
    """Status updates in a row that did not come."""
    regressions: list[str] = []
    """Incidents opened on its service while it was watched."""

    @property
    def after_resolve(self) -> bool:
        return self.passage in {Passage.RECOVERY, Passage.CLOSED}
