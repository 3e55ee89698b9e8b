"""Baseline: what is measured of a service at the end of its recovery, held against what is usual."""

from collections.abc import Iterator

from routing.alerts import thresholds
from routing.alerts.thresholds import Verdict
from routing.decision import Table
from routing.draft import Draft
from routing.incident import Window
from routing.policy import Threshold


def compare(draft: Draft, service: str) -> list[Verdict]:
    """What each rule of the service says now that knows what is usual, or what share of events is too many."""
    rules = {rule.key: rule for rule in draft.policy.thresholds if _measures(rule, service)}
    return [
        thresholds.standing(rules[each.rule], each, draft.now)
        for each in _windows(draft)
        if each.rule in rules
    ]


def _measures(rule: Threshold, service: str) -> bool:
    return bool(service) and rule.service == service and (rule.rate is not None or rule.ratio is not None)


def _windows(draft: Draft) -> Iterator[Window]:
    table = draft.state.tables[Table.WINDOW]
    for key in sorted(table):
        window = table[key]
        if isinstance(window, Window):
            yield window
