"""Stages: whether a step of an escalation is for this incident at this moment, and when it may begin."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from routing.calendar import hours
from routing.draft import Draft
from routing.escalation import Stage, When
from routing.incident import Incident
from routing.language import matchers
from routing.policy import Matcher
from routing.severity import Severity


def why_not(draft: Draft, incident: Incident, conditions: Sequence[When]) -> str:
    """The first condition that does not hold, in words; "" when all do."""
    for when in conditions:
        if holds(draft, incident, when) is when.negate:
            return told(when)
    return ""


def holds(draft: Draft, incident: Incident, when: When) -> bool:
    """Whether all it asks for is so now, `negate` left aside. Hours that are gone hold no instant."""
    return (
        (not when.severities or incident.severity in when.severities)
        and (not when.services or incident.service in when.services)
        and (not when.teams or incident.team in when.teams)
        and (not when.during or in_hours(draft, when.during))
        and (not when.outside or not in_hours(draft, when.outside))
        and all(matcher.matches(labels(incident)) for matcher in _compiled(tuple(when.match)))
    )


def in_hours(draft: Draft, name: str) -> bool:
    found = draft.policy.hours.get(name)
    return found is not None and hours.contains(found, draft.now)


def opens_at(draft: Draft, incident: Incident, stage: Stage) -> int:
    """When the step may be carried out (ms): now, unless this severity waits for hours that are to come."""
    delay = stage.delay
    found = draft.policy.hours.get(delay.hours) if delay else None
    if delay is None or found is None or incident.severity not in delay.severities:
        return draft.now
    at = hours.next_start(found, draft.now)
    # Hours that never come are no reason to stay silent.
    return draft.now if at >= hours.FOREVER else at


def told(when: When) -> str:
    """What a condition asks for: "SEV-0 or SEV-1, outside working"."""
    parts = [
        " or ".join(str(Severity(each)) for each in when.severities),
        " or ".join(f"service {each}" for each in when.services),
        " or ".join(f"team {each}" for each in when.teams),
        f"during {when.during}" if when.during else "",
        f"outside {when.outside}" if when.outside else "",
        ", ".join(when.match),
    ]
    return ("not " if when.negate else "") + ", ".join(part for part in parts if part)


def labels(incident: Incident) -> Mapping[str, str]:
    return {
        **incident.labels,
        "severity": str(incident.severity),
        "service": incident.service,
        "team": incident.team,
    }


@lru_cache(maxsize=1024)
def _compiled(texts: tuple[str, ...]) -> tuple[Matcher, ...]:
    return tuple(matchers.parse(text) for text in texts)
