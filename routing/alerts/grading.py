"""Grading: how bad an event is, by its rule, the impact matrix, its vendor's word or the default; then adjusted."""

from collections.abc import Mapping
from typing import Any

import msgspec

from routing.calendar import hours
from routing.event import Event
from routing.language import cel, expressions
from routing.policy import Adjustment, Impact, Matrix, Policy, SeverityRule, vendor_words
from routing.reason import Reason
from routing.severity import Severity

# Every event needs one of them, and writing an enum's name takes longer than matching a rule.
NAMES = {severity: str(severity) for severity in Severity}

_LANGUAGES = {"jmespath": expressions.holds, "cel": cel.holds}


class Grade(msgspec.Struct, frozen=True):
    """`rule` is the name of what gave the severity: a rule, "vendor_severity" or "default"."""

    severity: Severity
    rule: str


def context(event: Event, labels: Mapping[str, str]) -> dict[str, Any]:
    """What conditions and values of rules are asked over."""
    return {"event": msgspec.to_builtins(event), "labels": labels}


def condition_holds(
    rule: SeverityRule, event: Event, labels: Mapping[str, str], reasons: list[Reason]
) -> bool:
    """A condition that cannot be evaluated does not hold: one odd event must not stop the others."""
    try:
        return _LANGUAGES[rule.language](rule.when, context(event, labels))
    except expressions.BadExpression as error:
        reasons.append(Reason(text=f"skipped: {error}", rule=rule.name, origin=str(rule.origin)))
        return False


def grade(
    policy: Policy,
    event: Event,
    rule: SeverityRule | None,
    labels: Mapping[str, str],
    reasons: list[Reason],
    at: int,
) -> Grade:
    """`labels` with what the rule added; `at` (ms) is the instant hours are asked about."""
    found = _given(policy, event, rule, labels, reasons)
    if policy.adjustments:
        return Grade(_adjusted(policy, found.severity, labels, reasons, at), found.rule)
    return found


def _given(
    policy: Policy, event: Event, rule: SeverityRule | None, labels: Mapping[str, str], reasons: list[Reason]
) -> Grade:
    if rule is not None:
        severity, by = rule.severity, ""
        if policy.matrix is not None and (rule.scope or rule.affects):
            severity, by = _by_impact(policy, policy.matrix, rule, event, labels)
        what = NAMES[severity] if severity is not None else "classified"
        text = f"{what}: {rule.reason}" if rule.reason else f"{what} by rule"
        reasons.append(Reason(text=text + by, rule=rule.name, origin=str(rule.origin)))
        if severity is not None:
            return Grade(severity, rule.name)
    said = _said(policy, event)
    if said is not None:
        text = f"{NAMES[said]}, because {event.vendor} says {event.vendor_severity!r}"
        reasons.append(Reason(text=text, rule="vendor_severity", origin=str(policy.classify_origin)))
        return Grade(said, "vendor_severity")
    why = "no rule and no vendor says how bad it is"
    if event.vendor_severity:
        why = (
            f"no rule says how bad it is, and {event.vendor}'s word {event.vendor_severity[:60]!r} is unknown"
        )
    text = f"{policy.default_severity}, because {why}"
    reasons.append(Reason(text=text, rule="default", origin=str(policy.classify_origin)))
    return Grade(policy.default_severity, "default")


def _by_impact(
    policy: Policy, matrix: Matrix, rule: SeverityRule, event: Event, labels: Mapping[str, str]
) -> tuple[Severity, str]:
    """By the matrix; who is hit where no rule says follows from the service's tier."""
    scope = _word(rule.scope, event, labels)
    affects = _word(rule.affects, event, labels)
    if affects not in matrix.affects:
        tier = labels.get("service_tier", "")
        affects = policy.tiers.get(int(tier), "") if tier else ""
    severity = matrix.severity(scope, affects)
    known = f"{scope if scope in matrix.cells else 'unknown'} outage, {affects or 'unknown'}"
    return severity, f" ({known} in the impact matrix, {matrix.origin})"


def _word(impact: Impact | None, event: Event, labels: Mapping[str, str]) -> str:
    if impact is None or not impact.value:
        return impact.word if impact else ""
    try:
        return impact.read(expressions.evaluate(impact.value, context(event, labels)))
    except expressions.BadExpression:
        return ""


def _said(policy: Policy, event: Event) -> Severity | None:
    """What the vendor's own word means here; None when it said nothing, or nothing known."""
    said = event.vendor_severity.strip().lower()
    if not said:
        return None
    source = policy.sources.get(event.source)
    if source is not None and said in source.vendor_severities:
        return source.vendor_severities[said]
    if said in policy.vendor_severities:
        return policy.vendor_severities[said]
    return vendor_words.meaning(event.vendor, said)


def _adjusted(
    policy: Policy, severity: Severity, labels: Mapping[str, str], reasons: list[Reason], at: int
) -> Severity:
    """Raised or lowered; where some raise and others lower, the higher wins. Nothing lowers a SEV-0."""
    fitting = [each for each in policy.adjustments if _fits(each, labels, at)]
    raising = [each for each in fitting if each.levels < 0]
    for each in raising or fitting:
        moved = Severity(min(Severity.SEV4, max(each.up_to, severity + each.levels)))
        if each.levels < 0:
            moved = min(moved, severity)
        if severity is not Severity.SEV0 and moved is not severity:
            did = "raised" if moved < severity else "lowered"
            text = f"{did} from {severity} to {moved}{f': {each.reason}' if each.reason else ''}"
            reasons.append(Reason(text=text, rule=each.name, origin=str(each.origin)))
            severity = moved
    return severity


def _fits(adjustment: Adjustment, labels: Mapping[str, str], at: int) -> bool:
    if not all(matcher.matches(labels) for matcher in adjustment.matchers):
        return False
    return adjustment.hours is None or hours.contains(adjustment.hours, at) is adjustment.inside
