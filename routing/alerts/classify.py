"""Classification: how bad an event is, whose it is, and what is to be done with it. The first rule wins."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from routing.event import Event, Status
from routing.language import expressions
from routing.policy import Policy, SeverityRule, Source
from routing.reason import Reason
from routing.severity import Severity

# Every event needs one of them, and writing an enum's name takes longer than matching a rule.
_NAMES = {severity: str(severity) for severity in Severity}


@dataclass(frozen=True, slots=True)
class Classified:
    """`labels`: the event's attributes, its source's and its rule's labels; service, team and severity."""

    severity: Severity
    team: str
    service: str
    handling: str
    labels: dict[str, str]
    reasons: list[Reason]


def classify(policy: Policy, event: Event) -> Classified:
    """By the first matching rule; where it is silent, by what the vendor says; else by the default."""
    source = policy.sources.get(event.source)
    labels = _labels(event, source)
    reasons: list[Reason] = []
    rule = _first(policy, event, labels, reasons)
    severity = _severity(policy, event, rule, reasons)
    if rule is not None:
        labels.update(rule.labels)
        if rule.team is not None:
            labels["team"] = rule.team
        if rule.service is not None:
            labels["service"] = rule.service
    labels["severity"] = _NAMES[severity]
    handling = (rule.handling if rule else "") or ("record" if event.status is Status.INFO else "alert")
    return Classified(severity, labels["team"], labels["service"], handling, labels, reasons)


def _labels(event: Event, source: Source | None) -> dict[str, str]:
    """What the source's configuration says fills in where the event itself says nothing."""
    attributes = event.attributes()
    if source is None:
        return {"team": "", "service": "", **attributes}
    return {"team": source.team, "service": source.service, **source.labels, **attributes}


def _first(
    policy: Policy, event: Event, labels: Mapping[str, str], reasons: list[Reason]
) -> SeverityRule | None:
    for rule in policy.rules:
        for matcher in rule.matchers:
            if not matcher.matches(labels):
                break
        else:
            if not rule.when or _condition_holds(rule, event, labels, reasons):
                return rule
    return None


def _condition_holds(
    rule: SeverityRule, event: Event, labels: Mapping[str, str], reasons: list[Reason]
) -> bool:
    """A condition that cannot be evaluated does not hold: one odd event must not stop the others."""
    context = {"event": msgspec.to_builtins(event), "labels": labels}
    try:
        return expressions.holds(rule.when, context)
    except expressions.BadExpression as error:
        reasons.append(Reason(text=f"skipped: {error}", rule=rule.name, origin=str(rule.origin)))
        return False


def _severity(policy: Policy, event: Event, rule: SeverityRule | None, reasons: list[Reason]) -> Severity:
    said = vendor_severity(policy, event.vendor_severity)
    if rule is not None:
        what = _NAMES[rule.severity] if rule.severity is not None else "classified"
        text = f"{what}: {rule.reason}" if rule.reason else f"{what} by rule"
        reasons.append(Reason(text=text, rule=rule.name, origin=str(rule.origin)))
        if rule.severity is not None:
            return rule.severity
    origin = str(policy.classify_origin)
    if said is not None:
        text = f"{said}, because {event.vendor} says {event.vendor_severity!r}"
        reasons.append(Reason(text=text, rule="vendor_severity", origin=origin))
        return said
    text = f"{policy.default_severity}, because no rule and no vendor says how bad it is"
    reasons.append(Reason(text=text, rule="default", origin=origin))
    return policy.default_severity


def vendor_severity(policy: Policy, said: str) -> Severity | None:
    """What the vendor's own word means here; None when it said nothing, or nothing known."""
    if not said:
        return None
    known = policy.vendor_severities.get(said.lower())
    if known is not None:
        return known
    try:
        return Severity.parse(said) if said.lower().startswith("sev") else None
    except ValueError:
        return None
