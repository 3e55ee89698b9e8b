"""How bad an event is, whose it is, what is done with it; by which rule of which line."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import shipped
from small_policy import POLICY, START

from routing.alerts.classify import classify
from routing.calendar.hours import Hours, Span
from routing.event import Event, Status
from routing.instant import HOUR, MINUTE
from routing.language import matchers
from routing.policy import Adjustment, Impact, Matrix, Service, SeverityRule, Source, vendor_words
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
    found = classify(policy, event(), START)
    assert found.severity is Severity.SEV1
    (reason,) = found.reasons
    assert (reason.text, reason.rule, reason.origin) == ("SEV-1: it is odd", "yes", "config/severity.yaml:3")


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ("critical", Severity.SEV1), ("CRITICAL", Severity.SEV1), ("error", Severity.SEV2),
        ("warning", Severity.SEV2), ("info", Severity.SEV4), ("SEV-0", Severity.SEV1), ("sev3", Severity.SEV3),
        ("Sev4", Severity.SEV4), ("", Severity.SEV2), ("page", Severity.SEV1), ("1", Severity.SEV2),
    ],
)  # fmt: skip
def test_where_no_rule_says_the_vendor_does_and_then_the_default(said: str, severity: Severity) -> None:
    found = classify(by(default_severity=Severity.SEV2), event(vendor_severity=said), START)
    assert found.severity is severity
    assert str(severity) in found.reasons[-1].text


def test_a_rule_without_a_severity_leaves_it_to_the_vendor() -> None:
    found = classify(
        by(rule("team", 'kind="Odd"', team="x", handling="")), event(vendor_severity="critical"), START
    )
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
    assert classify(by(*rules), event(status=status), START).handling == done


def test_labels_come_from_the_source_then_the_event_then_the_rule() -> None:
    source = Source(
        "am", "alertmanager", (), Origin(), team="t1", service="s1", labels={"env": "prod", "zone": "a"}
    )
    policy = by(rule("r", 'kind="Odd"', team="t2", labels={"zone": "c"}), sources={"am": source})
    found = classify(policy, event(labels={"env": "dev", "zone": "b"}), START)
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
    found = classify(policy, event(labels=labels), START)
    assert found.severity is Severity.SEV0
    assert (found.labels["severity"], found.labels["status"]) == ("SEV-0", "firing")


def test_an_event_of_an_unknown_source_is_classified_all_the_same() -> None:
    found = classify(by(), event(source="gone"), START)
    assert (found.team, found.service, found.severity) == ("", "", Severity.SEV2)


@pytest.mark.parametrize(("amount", "severity"), [("900", Severity.SEV2), ("9000", Severity.SEV1)])
def test_a_condition_narrows_a_rule(amount: str, severity: Severity) -> None:
    condition = "to_number(event.details.amount) > `1000` && labels.env == 'prod'"
    policy = by(rule("big", 'kind="Odd"', when=condition, severity=Severity.SEV1))
    found = classify(policy, event(details={"amount": amount}, labels={"env": "prod"}), START)
    assert found.severity is severity


def test_a_condition_that_cannot_be_evaluated_does_not_hold_and_says_why() -> None:
    policy = by(
        rule("broken", 'kind="Odd"', when="length(event.starts_at) > `1`", severity=Severity.SEV0),
        rule("next", 'kind="Odd"', severity=Severity.SEV3),
    )
    found = classify(policy, event(starts_at=5), START)
    assert found.severity is Severity.SEV3
    assert found.reasons[0].rule == "broken"
    assert found.reasons[0].text.startswith("skipped: ")


def test_the_event_is_left_as_it_was() -> None:
    labels = {"env": "dev"}
    classify(by(rule("r", 'kind="Odd"', labels={"env": "prod"})), event(labels=labels), START)
    assert labels == {"env": "dev"}


def working_hours(contact_at: int) -> Hours:
    """Hours that hold exactly the minute an instant is in."""
    minute = contact_at // MINUTE % 1440
    return Hours("working", "UTC", (Span(frozenset(range(7)), minute, minute + 1),), frozenset(), Origin())


MATRIX = Matrix(
    {
        "complete": {"everyone": Severity.SEV0, "few": Severity.SEV2},
        "partial": {"everyone": Severity.SEV2, "few": Severity.SEV3},
    },
    Origin("config/severity.yaml", 5),
)
SHOP = Service("shop", 1, Origin(), team="payments")
BLOG = Service("blog", 4, Origin())
BANDS = Impact(value="event.details.users", bands=((100, "everyone"), (1, "few")))


@pytest.mark.parametrize(
    ("scope", "affects", "service", "details", "severity"),
    [
        (Impact("complete"), Impact("everyone"), "", {}, Severity.SEV0),
        (Impact("complete"), Impact("few"), "shop", {}, Severity.SEV2),
        # who is hit follows from the tier, and what nobody knows may be the worst
        (Impact("complete"), None, "shop", {}, Severity.SEV0),
        (Impact("partial"), None, "blog", {}, Severity.SEV3),
        (Impact("partial"), None, "nowhere", {}, Severity.SEV2),
        (None, Impact("few"), "", {}, Severity.SEV2),
        # by values of the payload
        (Impact(value="labels.scope"), Impact("everyone"), "", {}, Severity.SEV2),
        (Impact(value="labels.nothing"), Impact("everyone"), "", {}, Severity.SEV0),
        (Impact("partial"), BANDS, "blog", {"users": "250"}, Severity.SEV2),
        (Impact("partial"), BANDS, "shop", {"users": "99.5"}, Severity.SEV3),
        (Impact("partial"), BANDS, "blog", {"users": "0"}, Severity.SEV3),
        (Impact("partial"), BANDS, "shop", {"users": "some"}, Severity.SEV2),
        (Impact("partial"), BANDS, "shop", {"users": "nan"}, Severity.SEV2),
        (Impact("partial"), Impact(value="length(event.starts_at)"), "shop", {}, Severity.SEV2),
    ],
)  # fmt: skip
def test_the_impact_matrix_gives_the_severity(
    scope: Impact | None, affects: Impact | None, service: str, details: dict[str, str], severity: Severity
) -> None:
    policy = by(
        rule("r", 'kind="Odd"', scope=scope, affects=affects, service=service, reason="why"),
        matrix=MATRIX, tiers={1: "everyone", 4: "few"}, services={"shop": SHOP, "blog": BLOG},
    )  # fmt: skip
    found = classify(policy, event(details=details, labels={"scope": "partial"}), START)
    assert found.severity is severity
    assert "in the impact matrix, config/severity.yaml:5" in found.reasons[-1].text


def test_the_tier_and_team_of_a_known_service_are_labels_that_no_event_can_fake() -> None:
    policy = by(services={"shop": SHOP})
    known = classify(policy, event(labels={"service": "shop", "service_tier": "4"}), START)
    assert (known.labels["service_tier"], known.team) == ("1", "payments")
    assert "service_tier" not in classify(policy, event(labels={"service_tier": "1"}), START).labels


@pytest.mark.parametrize(
    ("vendor", "said", "severity"),
    [
        ("alertmanager", "warning", Severity.SEV2), ("alertmanager", "none", Severity.SEV4),
        ("sentry", "fatal", Severity.SEV1), ("sentry", "error", Severity.SEV2), ("sentry", "debug", Severity.SEV4),
        ("azure", "Sev0", Severity.SEV1), ("azure", "Sev1", Severity.SEV1), ("azure", "Sev2", Severity.SEV2),
        ("azure", "Sev3", Severity.SEV3), ("azure", "Sev4", Severity.SEV4),
        ("pagerduty", "critical", Severity.SEV1), ("pagerduty", "error", Severity.SEV2),
        ("pagerduty", "low", Severity.SEV3), ("pagerduty", "info", Severity.SEV4),
        ("datadog", "P1", Severity.SEV1), ("datadog", "P2", Severity.SEV1), ("datadog", "P3", Severity.SEV2),
        ("datadog", "P4", Severity.SEV3), ("datadog", "P5", Severity.SEV4), ("datadog", "No Data", Severity.SEV2),
        ("opsgenie", "P1", Severity.SEV1), ("opsgenie", "P5", Severity.SEV4),
        ("grafana", "alerting", Severity.SEV1), ("grafana", "NoData", Severity.SEV2),
        ("github", "high", Severity.SEV1), ("github", "moderate", Severity.SEV2), ("github", "note", Severity.SEV4),
        ("google_cloud", "EMERGENCY", Severity.SEV1), ("google_cloud", "No severity", Severity.SEV2),
        ("new_relic", "CRITICAL", Severity.SEV1), ("new_relic", "LOW", Severity.SEV3),
        ("zabbix", "disaster", Severity.SEV1), ("zabbix", "not classified", Severity.SEV2),
        ("stripe", "non_critical", Severity.SEV2), ("statuspage", "major", Severity.SEV1),
        ("pingdom", "HIGH", Severity.SEV1), ("anybody", "warn", Severity.SEV2),
    ],
)  # fmt: skip
def test_every_vendor_has_words_for_how_bad_it_is(vendor: str, said: str, severity: Severity) -> None:
    found = classify(by(sources={}), event(vendor=vendor, vendor_severity=said), START)
    assert (found.severity, found.rule) == (severity, "vendor_severity")


@pytest.mark.parametrize("vendor", ["", *sorted(vendor_words.DIALECTS), *sorted(shipped.vendors().sources)])
def test_a_warning_is_a_sev_2_whoever_says_it_unless_a_rule_says_otherwise(vendor: str) -> None:
    warned = event(vendor=vendor, vendor_severity="warning")
    assert classify(by(sources={}), warned, START).severity is Severity.SEV2
    milder = by(rule("r", 'vendor_severity="warning"', severity=Severity.SEV3), sources={})
    assert classify(milder, warned, START).severity is Severity.SEV3


def test_no_vendors_word_means_a_complete_outage() -> None:
    words = {*vendor_words.WORDS, *(word for each in vendor_words.DIALECTS.values() for word in each)}
    vendors = ("", *vendor_words.DIALECTS)
    meanings = [vendor_words.meaning(each, word) for each in vendors for word in (*words, "sev-0", "sev0")]
    assert Severity.SEV0 not in meanings


def test_configuration_says_what_a_word_means_for_one_sender_then_for_all_of_them() -> None:
    source = Source("am", "alertmanager", (), Origin(), vendor_severities={"page": Severity.SEV3})
    policy = by(sources={"am": source}, vendor_severities={"page": Severity.SEV2, "info": Severity.SEV3})
    assert classify(policy, event(vendor_severity="Page"), START).severity is Severity.SEV3
    assert classify(policy, event(vendor_severity="info"), START).severity is Severity.SEV3
    assert classify(policy, event(source="b", vendor_severity="page"), START).severity is Severity.SEV2


def test_a_word_nobody_knows_is_named_and_the_default_counts() -> None:
    (reason,) = classify(by(sources={}), event(vendor_severity="banana"), START).reasons
    assert "alertmanager's word 'banana' is unknown" in reason.text


def adjustment(name: str, levels: int, match: str = 'kind="Odd"', **more: Any) -> Adjustment:
    return Adjustment(name, matchers.parse_all(match), levels, Origin("config/severity.yaml", 9), **more)


@pytest.mark.parametrize(
    ("adjustments", "given", "severity"),
    [
        ((adjustment("up", -1),), Severity.SEV3, Severity.SEV2),
        ((adjustment("up", -3),), Severity.SEV3, Severity.SEV1),
        ((adjustment("up", -3, up_to=Severity.SEV0),), Severity.SEV3, Severity.SEV0),
        ((adjustment("up", -1, up_to=Severity.SEV2),), Severity.SEV1, Severity.SEV1),
        ((adjustment("down", 2),), Severity.SEV1, Severity.SEV3),
        ((adjustment("down", 3),), Severity.SEV3, Severity.SEV4),
        ((adjustment("down", 3),), Severity.SEV0, Severity.SEV0),
        ((adjustment("down", 1), adjustment("up", -1)), Severity.SEV3, Severity.SEV2),
        ((adjustment("down", 1), adjustment("again", 1)), Severity.SEV1, Severity.SEV3),
        ((adjustment("else", 1, 'kind="Other"'),), Severity.SEV1, Severity.SEV1),
        ((adjustment("in", 1, hours=working_hours(START)),), Severity.SEV1, Severity.SEV2),
        ((adjustment("out", 1, hours=working_hours(START), inside=False),), Severity.SEV1, Severity.SEV1),
        ((adjustment("out", 1, hours=working_hours(START + HOUR), inside=False),), Severity.SEV1, Severity.SEV2),
    ],
)  # fmt: skip
def test_tiers_and_hours_raise_or_lower_and_the_higher_wins(
    adjustments: tuple[Adjustment, ...], given: Severity, severity: Severity
) -> None:
    policy = by(rule("r", 'kind="Odd"', severity=given), adjustments=adjustments)
    found = classify(policy, event(), START)
    assert (found.severity, found.labels["severity"]) == (severity, str(severity))
    told = [reason.rule for reason in found.reasons[1:]]
    assert bool(told) is (severity is not given)
    assert "down" not in told or severity > given


def test_an_adjustment_says_what_it_did_and_where_it_is_written() -> None:
    policy = by(rule("r", 'kind="Odd"', severity=Severity.SEV2), adjustments=(adjustment("down", 1),))
    reason = classify(policy, event(), START).reasons[-1]
    assert str(reason) == "lowered from SEV-2 to SEV-3 (down, config/severity.yaml:9)"


class Counted:
    """A matcher that counts how often it is asked."""

    name, op = "kind", "="

    def __init__(self, value: str) -> None:
        self.value, self.asked = value, 0

    def matches(self, labels: Mapping[str, str]) -> bool:
        self.asked += 1
        return labels.get(self.name, "") == self.value


def test_an_event_costs_the_same_with_two_thousand_rules_as_with_one() -> None:
    kinds = [Counted(f"Kind{number}") for number in range(2_000)]
    rules = [
        SeverityRule(
            name=each.value, matchers=(each,), origin=Origin("severity.yaml", 1), severity=Severity.SEV3
        )
        for each in kinds
    ]
    found = classify(by(*rules), event(kind="Kind1999"), START)
    assert found.rule == "Kind1999"
    assert sum(each.asked for each in kinds) <= 1


def test_what_a_sources_labels_say_of_the_service_wins_over_all_else() -> None:
    origin = Origin("config/sources.yaml", 1)
    services = {"project_name": {"shop-web": "site"}, "service": {"web": "checkout"}}
    source = Source("am", "alertmanager", (), origin, service="hub", services=services)
    policy = replace(POLICY, rules=(), sources={"am": source})
    for labels, service in (
        ({}, "hub"),
        ({"project_name": "shop-web"}, "site"),
        ({"project_name": "another"}, "hub"),
        ({"service": "web"}, "checkout"),
        ({"service": "api"}, "api"),
        ({"service": "api", "project_name": "shop-web"}, "site"),
    ):
        assert classify(policy, event(labels=labels), START).service == service
