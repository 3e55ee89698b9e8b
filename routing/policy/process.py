"""How an incident of consequence is run: roles, phases, status updates, and what comes after it is resolved."""

from dataclasses import dataclass

from routing.policy.routes import Matcher
from routing.policy.status_page import Audience, StatusPage
from routing.reason import Origin
from routing.severity import Severity


@dataclass(frozen=True, slots=True)
class Role:
    """Who has it: the first of a name whose matchers hold for the incident. `target` is (kind, name)."""

    name: str
    matchers: tuple[Matcher, ...]
    target: tuple[str, str]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Process:
    """Lengths in ms. The first two phases count from the opening, recovery from the resolve."""

    severities: tuple[Severity, ...]
    assessment_ms: int
    coordination_ms: int
    recovery_ms: int
    roles: tuple[Role, ...]
    update_ms: int
    """How often a status update is owed."""
    update_from: str
    """The role that owes it."""
    postmortem_ms: int
    """How long after the resolve the post-mortem is held, at the latest."""
    postmortem_hours: str
    """It begins within these hours of the calendar; "": at any time."""
    origin: Origin
    audiences: tuple[Audience, ...] = ()
    status_page: StatusPage | None = None
    room: tuple[str, str] | None = None
    """(kind, name) of where everybody who works on it comes together: told when it begins, and of what follows."""
