"""Scheduled work: an event that comes by the calendar."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from routing.calendar.recurring import Recurrence
from routing.reason import Origin


@dataclass(frozen=True, slots=True)
class Scheduled:
    name: str
    recurs: Recurrence
    kind: str
    title: str
    origin: Origin
    severity: str = ""
    """In a vendor's words, like "warning", for the rules of severity.yaml."""
    labels: Mapping[str, str] = field(default_factory=dict)
