"""An event that is reported again as it was is classified as it was, and nothing else is."""

from dataclasses import replace
from typing import Any

import pytest
from small_policy import HERE, POLICY, START

from routing.alerts.classify import LARGEST_KNOWN, MOST_KNOWN, classify
from routing.calendar.hours import Hours, Span
from routing.event import Event, Status
from routing.instant import DAY, HOUR
from routing.language import matchers
from routing.policy import Adjustment, SeverityRule
from routing.severity import Severity

RULE = SeverityRule(
    name="disk", matchers=matchers.parse_all('kind="Disk"'), origin=HERE, severity=Severity.SEV1, service="db"
)
DISKS = replace(POLICY, rules=(RULE,))


def event(**more: Any) -> Event:
    known = {"source": "am", "vendor": "alertmanager", "kind": "Disk", "key": "k", "title": "t"}
    return Event(**{"status": Status.FIRING, **known, **more})


def test_the_same_again_is_not_asked_again() -> None:
    first = classify(DISKS, event(labels={"disk": "sda"}, starts_at=1), START)
    assert classify(DISKS, event(labels={"disk": "sda"}, starts_at=1), START + HOUR) is first


@pytest.mark.parametrize(
    ("now", "severity", "service"),
    [
        (event(kind="Odd"), Severity.SEV2, ""),
        (event(labels={"service": "shop"}, kind="Odd"), Severity.SEV2, "shop"),
        (event(vendor_severity="critical", kind="Odd"), Severity.SEV1, ""),
    ],
)
def test_what_is_otherwise_under_its_key_is(now: Event, severity: Severity, service: str) -> None:
    classify(DISKS, event(), START)
    found = classify(DISKS, now, START)
    assert (found.severity, found.service) == (severity, service)


def test_another_policy_is_asked_anew() -> None:
    assert classify(DISKS, event(), START).severity is Severity.SEV1
    milder = replace(DISKS, rules=(replace(RULE, severity=Severity.SEV3),))
    assert classify(milder, event(), START).severity is Severity.SEV3
    assert classify(DISKS, event(), START).severity is Severity.SEV1


def test_where_the_hour_counts_nothing_is_remembered() -> None:
    night = Hours("night", "UTC", (Span(frozenset(range(7)), 0, 60),), frozenset(), HERE)
    lower = Adjustment("at night", (), 1, HERE, hours=night)
    by_night = replace(DISKS, adjustments=(lower,))
    midnight = START // DAY * DAY
    found = [classify(by_night, event(), at).severity for at in (midnight, midnight + HOUR, midnight)]
    assert found == [Severity.SEV2, Severity.SEV1, Severity.SEV2]


def test_no_two_keys_are_one_and_no_two_sources() -> None:
    one = classify(DISKS, event(), START)
    assert classify(DISKS, event(key="k2"), START) is not one
    assert classify(DISKS, event(source="stripe"), START).labels["source"] == "stripe"


def test_what_is_large_and_what_was_long_ago_is_forgotten() -> None:
    long = "x" * LARGEST_KNOWN
    for large in (event(details={"log": long}), event(key=long), event(labels={long: "1"}), event(link=long)):
        assert classify(DISKS, large, START) is not classify(DISKS, large, START)
    first = classify(DISKS, event(), START)
    for number in range(MOST_KNOWN):
        classify(DISKS, event(key=f"k{number}"), START)
    assert classify(DISKS, event(), START) is not first
