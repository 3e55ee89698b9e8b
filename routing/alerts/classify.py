"""Classification: how bad an event is, whose it is, and what is to be done with it. The first rule wins."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from routing.alerts import grading
from routing.event import Event, Status
from routing.policy import Policy, SeverityRule, Source
from routing.reason import Reason
from routing.severity import Severity


class Classified(msgspec.Struct, frozen=True):
    """`labels`: the event's attributes, its source's and its rule's labels; service, its tier, team and severity.

    `rule` is the name of what gave the severity.
    """

    severity: Severity
    team: str
    service: str
    handling: str
    labels: dict[str, str]
    reasons: list[Reason]
    rule: str = ""


class _Known(NamedTuple):
    """How an event was classified, and under which policy."""

    policy: Policy
    event: Event
    classified: Classified


MOST_KNOWN = 1024
LARGEST_KNOWN = 4096
"""So many characters an event has at most, to be remembered."""
_known: dict[tuple[str, str], _Known] = {}
"""The latest event of each key: most are reported again and again, and a storm is little else."""


def classify(policy: Policy, event: Event, at: int) -> Classified:
    """By the first matching rule; where it is silent, by what the vendor says; else by the default.

    `at` (ms): when we received it, for what depends on the hour.
    """
    if policy.by_the_hour:
        return _classify(policy, event, at)
    mark = event.source, event.key
    known = _known.get(mark)
    if known is not None and known.policy is policy and known.event == event:
        return known.classified
    classified = _classify(policy, event, at)
    if _size(event) <= LARGEST_KNOWN:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[mark] = _Known(policy, event, classified)
    return classified


def _size(event: Event) -> int:
    own = (
        event.key,
        event.kind,
        event.title,
        event.summary,
        event.link,
        event.vendor_id,
        event.vendor_severity,
    )
    return sum(
        map(len, (*own, *event.labels, *event.labels.values(), *event.details, *event.details.values()))
    )


def _classify(policy: Policy, event: Event, at: int) -> Classified:
    source = policy.sources.get(event.source)
    labels = _labels(event, source)
    _add_service(policy, labels)
    reasons: list[Reason] = []
    rule = _first(policy, event, labels, reasons)
    if rule is not None:
        _add_rule(policy, rule, labels)
    grade = grading.grade(policy, event, rule, labels, reasons, at)
    labels["severity"] = grading.NAMES[grade.severity]
    handling = (rule.handling if rule else "") or ("record" if event.status is Status.INFO else "alert")
    return Classified(
        grade.severity, labels["team"], labels["service"], handling, labels, reasons, grade.rule
    )


def _labels(event: Event, source: Source | None) -> dict[str, str]:
    """What the source's configuration says fills in where the event itself says nothing; its services win."""
    attributes = event.attributes()
    if source is None:
        return {"team": "", "service": "", **attributes}
    labels = {"team": source.team, "service": source.service, **source.labels, **attributes}
    for label, services in source.services.items():
        labels["service"] = services.get(labels.get(label, ""), labels["service"])
    return labels


def _add_service(policy: Policy, labels: dict[str, str]) -> None:
    """What services.yaml knows of the service; no event can say it for itself."""
    service = policy.services.get(labels["service"])
    if service is None:
        labels.pop("service_tier", None)
        return
    labels["service_tier"] = service.tier_label
    labels["team"] = labels["team"] or service.team


def _add_rule(policy: Policy, rule: SeverityRule, labels: dict[str, str]) -> None:
    labels.update(rule.labels)
    if rule.team is not None:
        labels["team"] = rule.team
    if rule.service is not None and rule.service != labels["service"]:
        labels["service"] = rule.service
        _add_service(policy, labels)


def _first(
    policy: Policy, event: Event, labels: Mapping[str, str], reasons: list[Reason]
) -> SeverityRule | None:
    for rule in policy.by_labels.matching(labels):
        if not rule.when or grading.condition_holds(rule, event, labels, reasons):
            return rule
    return None
