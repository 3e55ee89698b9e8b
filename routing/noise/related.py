"""Related: which open alert is the cause of another, or its effect, by rule or by what services depend on.

By dependency a cause is at least as bad as its effect: that the database is slow explains no outage.
"""

from collections.abc import Callable, Iterator
from itertools import islice

import msgspec

from routing import duration
from routing.alerts.condition import Condition
from routing.alerts.live import is_live
from routing.draft import Draft
from routing.incident import Alert, Incident
from routing.language.matchers import all_match
from routing.noise import mutes
from routing.policy import Relation, Tie
from routing.reason import Reason

MOST_LOOKED_AT = 50
"""So many muted alerts are passed over for one that is not: behind a silenced storm there may be thousands."""


class Found(msgspec.Struct, frozen=True):
    """An alert that is related to the one in question, the incident it is in, and why."""

    alert: Alert
    incident: Incident
    reason: Reason
    by_service: bool = False
    """By what services depend on, so that it holds for every alert of them."""


def cause(draft: Draft, condition: Condition) -> Found | None:
    """What the condition is most likely an effect of: by rule before by dependency, the nearest first.

    What is muted explains nothing: nobody would be paged with it for what nothing mutes.
    """
    likely = islice(_causes(draft, condition), MOST_LOOKED_AT)
    return next((each for each in likely if mutes.covering(draft, each.alert.labels) is None), None)


def effects(draft: Draft, condition: Condition) -> list[Found]:
    """Open alerts that the condition is the cause of."""
    found = {each.alert.fingerprint: each for each in reversed(list(_effects(draft, condition)))}
    return sorted(found.values(), key=lambda each: (each.incident.number, each.alert.fingerprint))


def _causes(draft: Draft, condition: Condition) -> Iterator[Found]:
    standing = draft.state.standing
    for rule in draft.policy.noise.by_target.matching(condition.labels):
        if rule.tie is Tie.CAUSES:
            marks = standing.sources(rule, condition.labels)
            for alert in _live(draft, condition, marks, rule.within_ms):
                yield _found(draft, alert, _by_rule(rule, alert.title, condition.title))
    for way in _ways(condition.labels.get("service", ""), lambda name: _needs(draft, name)):
        for alert in _live(draft, condition, standing.of_service(way[-1]), draft.policy.noise.dependency_ms):
            if alert.severity <= condition.severity and _tell_of_services(draft, alert, condition):
                yield _found(draft, alert, _by_dependency(draft, way), by_service=True)


def _effects(draft: Draft, condition: Condition) -> Iterator[Found]:
    standing = draft.state.standing
    for rule in draft.policy.noise.by_source.matching(condition.labels):
        if rule.tie is Tie.CAUSES:
            marks = standing.targets(rule, condition.labels)
            for alert in _live(draft, condition, marks, rule.within_ms):
                if _is_unexplained(draft, alert):
                    yield _found(draft, alert, _by_rule(rule, condition.title, alert.title))
    for way in _ways(condition.labels.get("service", ""), standing.needed_by):
        for alert in _live(draft, condition, standing.of_service(way[-1]), draft.policy.noise.dependency_ms):
            fits = alert.severity >= condition.severity and _tell_of_services(draft, alert, condition)
            if fits and _is_unexplained(draft, alert):
                yield _found(draft, alert, _by_dependency(draft, way[::-1]), by_service=True)


def _tell_of_services(draft: Draft, alert: Alert, condition: Condition) -> bool:
    asked = draft.policy.noise.dependent
    return all_match(asked, alert.labels) and all_match(asked, condition.labels)


def _live(draft: Draft, condition: Condition, marks: list[str], within_ms: int) -> Iterator[Alert]:
    """Those of the alerts that fire in an open incident and began about when the condition did."""
    for mark in marks:
        alert = draft.alert(mark)
        if alert is None or mark == condition.fingerprint or not is_live(draft, alert):
            continue
        if abs(condition.at - alert.began_at) <= within_ms:
            yield alert


def _is_unexplained(draft: Draft, alert: Alert) -> bool:
    """What has a cause already keeps it: a second cause is a problem of its own."""
    incident = draft.incident(alert.incident)
    return (
        incident is not None
        and not (alert.why or incident.cause)
        and alert.labels.get("service", "") == incident.service
    )


def _found(draft: Draft, alert: Alert, reason: Reason, *, by_service: bool = False) -> Found:
    incident = draft.incident(alert.incident)
    if incident is None:
        raise LookupError(alert.incident)
    cause = draft.incident(incident.cause) if incident.cause else None
    return Found(alert, cause or incident, reason, by_service)


def _needs(draft: Draft, service: str) -> tuple[str, ...]:
    known = draft.policy.services.get(service)
    return known.depends_on if known is not None else ()


def _ways(start: str, following: Callable[[str], tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """From a service along its dependencies, the nearest first; each way begins with it."""
    ahead: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    for way in ahead:
        if len(way) > 1:
            yield way
        for name in following(way[-1]):
            if name not in seen:
                seen.add(name)
                ahead.append((*way, name))


def _by_rule(rule: Relation, cause: str, effect: str) -> Reason:
    same = f" with the same {', '.join(rule.equal)}" if rule.equal else ""
    text = f"{effect} is an effect of {cause}: both began within {duration.text(rule.within_ms)}{same}"
    return Reason(text=text, rule=f"correlation {rule.name}", origin=str(rule.origin))


def _by_dependency(draft: Draft, way: tuple[str, ...]) -> Reason:
    origin = str(draft.policy.services[way[0]].origin) if way[0] in draft.policy.services else ""
    return Reason(text=" depends on ".join(way), rule=f"service {way[0]}", origin=origin)


def suspects(draft: Draft, service: str) -> dict[str, int]:
    """The service and all it depends on, by how far away they are."""
    return {service: 0} | {way[-1]: len(way) - 1 for way in _ways(service, lambda name: _needs(draft, name))}
