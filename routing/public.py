"""What is said in public about an incident: nothing else of it is ever shown there."""

from enum import StrEnum

from routing.record import Record
from routing.severity import Severity


class Said(StrEnum):
    """The state words of status pages, in their usual order."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"


class Health(StrEnum):
    """How a component does, the best first."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    PARTIAL = "partial_outage"
    MAJOR = "major_outage"

    @property
    def words(self) -> str:
        return {"operational": "Operational", "degraded": "Degraded"}.get(
            self.value, self.value.replace("_", " ").capitalize()
        )

    @property
    def rank(self) -> int:
        return list(Health).index(self)


def health_of(severity: Severity) -> Health:
    """What a severity means for who uses the component."""
    return {Severity.SEV0: Health.MAJOR, Severity.SEV1: Health.PARTIAL}.get(severity, Health.DEGRADED)


class Word(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One update. `by` is who said it, "" where it came from the template; it is never shown."""

    at: int
    said: Said
    text: str
    by: str = ""


class Public(Record, frozen=True, kw_only=True, omit_defaults=True):
    """`id` is the incident's name in public. Components by service: their names for customers, and how they do."""

    id: str
    title: str
    began_at: int
    names: dict[str, str]
    health: Health
    words: list[Word]
    """Oldest first; the first and the latest of many."""
    ended_at: int = 0
    reopened: int = 0
    """How often the incident had come back when the last word was said."""
    by_itself: bool = False
    """Opened from the template, by no person."""

    @property
    def last(self) -> Word:
        return self.words[-1]

    @property
    def is_open(self) -> bool:
        return not self.ended_at
