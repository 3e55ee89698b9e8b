"""How bad an event is, whose it is, what is done with it; by which rule of which line."""

from dataclasses import replace
from typing import Any

import pytest
from small_policy import POLICY

from routing.alerts.classify import classify
from routing.event import Event, Status
from routing.language import matchers
from routing.policy import SeverityRule, Source
from routing.reason import Origin
from routing.severity import Severity


def event(**more: Any) -> Event:
    known = {"source": "am", "vendor": "alertmanager", "kind": "Odd", "key": "k", "title": "t"}
    return Event(**{"status": Status.FIRING, **known, **more})


def rule(name: str, match: str, **more: Any) -> SeverityRule:
    return SeverityRule(
        name=name,
        matchers=matchers.parse_all(match),
        origin=Origin("config/severity.yaml", len(name)),
        **more,
    )


def by(*rules: SeverityRule, **more: Any) -> Any:
    return replace(POLICY, rules=rules, **more)


def test_the_first_rule_that_matches_wins_and_says_where_it_is_written() -> None:
    policy = by(
        rule("no", 'kind="Other"', severity=Severity.SEV0),
        rule("yes", 'kind="Odd"', severity=Severity.SEV1, reason="it is odd"),
        rule("late", 'kind="Odd"', severity=Severity.SEV0),
    )
    found = classify(policy, event())
    assert found.severity is Severity.SEV1
    (reason,) = found.reasons
    assert (reason.text, reason.rule, reason.origin) == ("SEV-1: it is odd", "yes", "config/severity.yaml:3")


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ("critical", Severity.SEV1), ("CRITICAL", Severity.SEV1), ("error", Severity.SEV2),
        ("warning", Severity.SEV2), ("info", Severity.SEV4), ("SEV-0", Severity.SEV0), ("sev3", Severity.SEV3),
        ("Sev4", Severity.SEV4), ("", Severity.SEV2), ("page", Severity.SEV2), ("1", Severity.SEV2),
    ],
)  # fmt: skip
def test_where_no_rule_says_the_vendor_does_and_then_the_default(said: str, severity: Severity) -> None:
    found = classify(by(default_severity=Severity.SEV2), event(vendor_severity=said))
    assert found.severity is severity
    assert str(severity) in found.reasons[-1].text


def test_a_rule_without_a_severity_leaves_it_to_the_vendor() -> None:
    found = classify(by(rule("team", 'kind="Odd"', team="x", handling="")), event(vendor_severity="critical"))
    assert (found.severity, found.team) == (Severity.SEV1, "x")
    assert [reason.rule for reason in found.reasons] == ["team", "vendor_severity"]


@pytest.mark.parametrize(
    ("status", "handling", "done"),
    [
        (Status.INFO, None, "record"), (Status.FIRING, None, "alert"), (Status.RESOLVED, None, "alert"),
        (Status.INFO, "", "record"), (Status.FIRING, "", "alert"), (Status.INFO, "deploy", "deploy"),
        (Status.FIRING, "record", "record"), (Status.INFO, "alert", "alert"),
    ],
)  # fmt: skip
def test_the_rule_says_what_is_done_or_else_the_status(
    status: Status, handling: str | None, done: str
) -> None:
    rules = [] if handling is None else [rule("r", 'kind="Odd"', handling=handling)]
    assert classify(by(*rules), event(status=status)).handling == done


def test_labels_come_from_the_source_then_the_event_then_the_rule() -> None:
    source = Source(
        "am", "alertmanager", (), Origin(), team="t1", service="s1", labels={"env": "prod", "zone": "a"}
    )
    policy = by(rule("r", 'kind="Odd"', team="t2", labels={"zone": "c"}), sources={"am": source})
    found = classify(policy, event(labels={"env": "dev", "zone": "b"}))
    assert found.labels == {
        "env": "dev", "zone": "c", "team": "t2", "service": "s1", "severity": "SEV-2", "source": "am",
        "vendor": "alertmanager", "kind": "Odd", "status": "firing", "vendor_severity": "",
    }  # fmt: skip
    assert (found.team, found.service) == ("t2", "s1")


def test_a_rule_sees_the_labels_of_source_and_event_and_no_event_can_fake_its_own_attributes() -> None:
    source = Source("am", "alertmanager", (), Origin(), service="shop", labels={"env": "prod"})
    policy = by(
        rule(
            "r", '{env="prod",service="shop",severity="page",source="am",kind="Odd"}', severity=Severity.SEV0
        ),
        sources={"am": source},
    )
    labels = {"severity": "page", "source": "tocsin", "kind": "SiteDown", "status": "resolved"}
    found = classify(policy, event(labels=labels))
    assert found.severity is Severity.SEV0
    assert (found.labels["severity"], found.labels["status"]) == ("SEV-0", "firing")


def test_an_event_of_an_unknown_source_is_classified_all_the_same() -> None:
    found = classify(by(), event(source="gone"))
    assert (found.team, found.service, found.severity) == ("", "", Severity.SEV2)


@pytest.mark.parametrize(("amount", "severity"), [("900", Severity.SEV2), ("9000", Severity.SEV1)])
def test_a_condition_narrows_a_rule(amount: str, severity: Severity) -> None:
    condition = "to_number(event.details.amount) > `1000` && labels.env == 'prod'"
    policy = by(rule("big", 'kind="Odd"', when=condition, severity=Severity.SEV1))
    found = classify(policy, event(details={"amount": amount}, labels={"env": "prod"}))
    assert found.severity is severity


def test_a_condition_that_cannot_be_evaluated_does_not_hold_and_says_why() -> None:
    policy = by(
        rule("broken", 'kind="Odd"', when="length(event.starts_at) > `1`", severity=Severity.SEV0),
        rule("next", 'kind="Odd"', severity=Severity.SEV3),
    )
    found = classify(policy, event(starts_at=5))
    assert found.severity is Severity.SEV3
    assert found.reasons[0].rule == "broken"
    assert found.reasons[0].text.startswith("skipped: ")


def test_the_event_is_left_as_it_was() -> None:
    labels = {"env": "dev"}
    classify(by(rule("r", 'kind="Odd"', labels={"env": "prod"})), event(labels=labels))
    assert labels == {"env": "dev"}
