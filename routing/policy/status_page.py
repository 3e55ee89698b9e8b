"""The status page: what customers are told, of which components, and in which words."""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.public import Said
from routing.reason import BUILT_IN, Origin
from routing.severity import Severity


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom else an incident is told to, quietly. `hears`: of "opened", "updates" and "resolved"; of a runbook only the
    first is.
    """

    name: str
    severities: tuple[Severity, ...]
    targets: tuple[tuple[str, str], ...]
    hears: frozenset[str]
    origin: Origin
    runbook: str = ""
    """What reaches them, in place of messages to `targets`: started once it is open."""


@dataclass(frozen=True, slots=True)
class StatusPage:
    """`components`: service -> its name for customers. Lengths in ms."""

    title: str
    components: Mapping[str, str]
    severities: tuple[Severity, ...]
    """Of these it speaks by itself, from its texts; of others only a person does."""
    update_ms: int
    update_from: str
    """The role that owes the next public word."""
    history_ms: int
    per_hour: int
    """So many are opened by themselves; the rest is a person's."""
    texts: Mapping[Said, str]
    heading: str
    """The title of what it says; as the texts, with {{ component }} in it."""
    timezone: str
    url: str = ""
    """Where the world reads it."""
    path: str = ""
    """Where the receiver serves it; "" nowhere."""
    places: tuple[tuple[str, str], ...] = ()
    """Status pages that are told: targets of kind channel."""
    origin: Origin = BUILT_IN
