"""Gaps of schedules: where SEV-0 or SEV-1 would call, nobody on call is a fault unless it is said to be meant."""

from collections.abc import Iterator

from routing.calendar.wall import local
from routing.language.matchers import Matcher
from routing.oncall.review import own_gaps
from routing.policy import EscalationStep, Policy, Route, Schedule
from routing.schema.yaml_marks import Document, Path
from routing.severity import Severity

FIX = (
    "add a layer without hours before the others, or write gaps_accepted: and why nobody is needed then, "
    'like "closed at night"'
)

_SHIFTS = frozenset({"schedule", "next", "previous"})
_URGENT = (Severity.SEV0, Severity.SEV1)


def no_unmeant_gaps(policy: Policy, document: Document) -> None:
    """Refuse each schedule that leaves a SEV-0 or SEV-1 to nobody at some time, and does not say so."""
    for name in sorted(called_when_urgent(policy)):
        found = unmeant_gap(policy.schedules[name])
        if found:
            at: Path = ("schedules", name)
            document.refuse(document.key_mark(at), at, f"{found}, and SEV-0 or SEV-1 would call it", FIX)


def unmeant_gap(schedule: Schedule) -> str:
    """The first time nobody is on call, in the schedule's own time; "" where there is none or it is meant."""
    if schedule.gaps_accepted:
        return ""
    found = own_gaps(schedule)
    if not found:
        return ""
    since, until = (local(at, schedule.timezone) for at in (found[0].since_at, found[0].until_at))
    more = f", and {len(found) - 1} times more" if len(found) > 1 else ""
    return f"nobody is on call from {since:%Y-%m-%dT%H:%M} until {until:%Y-%m-%dT%H:%M}{more}"


def called_when_urgent(policy: Policy) -> set[str]:
    """Schedules that a step of a policy names to which a route leads SEV-0 or SEV-1."""
    steps = [
        step
        for name in _urgent_policies(policy.route)
        for step in policy.escalations[name].steps
        if _urgent(step)
    ]
    named = {name for step in steps for kind, name in step.targets if kind in _SHIFTS}
    return named & policy.schedules.keys()


def _urgent_policies(route: Route) -> Iterator[str]:
    if any(all(_lets_through(matcher, level) for matcher in route.matchers) for level in _URGENT):
        yield route.escalation
        for child in route.routes:
            yield from _urgent_policies(child)


def _lets_through(matcher: object, level: Severity) -> bool:
    """Whether the matcher may hold for an incident of this severity, whatever else it is of."""
    if not isinstance(matcher, Matcher) or matcher.name != "severity":
        return True
    return matcher.matches({"severity": str(level)})


def _urgent(step: EscalationStep) -> bool:
    """False only where a condition leaves both severities out by itself."""
    return all(
        when.negate or not when.severities or min(when.severities) <= Severity.SEV1 for when in step.when
    )
