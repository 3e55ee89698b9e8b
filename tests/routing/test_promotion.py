"""An incident that lasts, grows or spreads is raised, with reasons; only a person lowers it, and that holds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_policy import HERE, POLICY, START, World, firing, resolved

from routing.audit import audit
from routing.delivery import Purpose
from routing.effect import Deliver
from routing.entry import Command, Graded, Verb
from routing.incident import Incident, Phase
from routing.instant import HOUR, MINUTE
from routing.language import matchers
from routing.policy import Policy, Promotion
from routing.severity import Severity
from routing.simulation import Simulation

AGE = Promotion("too-long", Severity.SEV1, HERE, severities=(Severity.SEV2,), after_ms=HOUR)
GROWTH = Promotion("too-many", Severity.SEV1, HERE, alerts=2, reason="it grows")
SPREAD = Promotion("everywhere", Severity.SEV1, HERE, services=2)
QUIET = replace(
    POLICY, runbooks=(), route=replace(POLICY.route, group_by=("kind",), routes=POLICY.route.routes),
)  # fmt: skip


def sim(*promotions: Promotion, policy: Policy = QUIET) -> Simulation:
    return Simulation(replace(policy, promotions=promotions), START, World())


def only(found: Simulation) -> Incident:
    (incident,) = found.incidents()
    return incident


def lines(found: Simulation) -> list[str]:
    return [moment.what for _, moment in found.moments]


def lower(found: Simulation, to: Severity = Severity.SEV3, by: str = "anna") -> None:
    found.feed(Graded(at=found.now, by=by, incident=only(found).id, severity=int(to), reason="no customer"))


def test_a_severity_that_lasts_becomes_the_next_and_says_why() -> None:
    found = sim(AGE)
    found.feed(firing("odd"))
    found.pass_time(START + HOUR - 1)
    assert only(found).severity is Severity.SEV2
    found.pass_time(START + HOUR)
    assert only(found).severity is Severity.SEV1
    (raised,) = [moment for _, moment in found.moments if moment.what == "raised to SEV-1"]
    assert str(raised.reasons[0]) == "SEV-2 for 1h (too-long, config/test.yaml:7)"
    assert only(found).respond_by == START + HOUR + 15 * MINUTE


def test_the_age_counts_from_the_severity_not_from_the_opening() -> None:
    found = sim(replace(AGE, severities=(), to=Severity.SEV0))
    found.feed(firing("odd"))
    found.pass_time(START + 30 * MINUTE)
    found.feed(Graded(at=found.now, by="anna", incident="INC-1", severity=1))
    found.pass_time(START + 89 * MINUTE)
    assert only(found).severity is Severity.SEV1
    found.pass_time(START + 90 * MINUTE)
    assert only(found).severity is Severity.SEV0


def test_what_is_over_is_not_raised_and_its_age_begins_anew_when_it_returns() -> None:
    found = sim(AGE)
    found.feed(firing("odd"))
    found.pass_time(START + 50 * MINUTE)
    found.feed(resolved("odd", at=found.now))
    assert not [key for key in found.state.timers() if key.startswith("promote:")]
    found.pass_time(START + 60 * MINUTE)
    found.feed(firing("odd", at=found.now))
    found.pass_time(START + 119 * MINUTE)
    assert only(found).severity is Severity.SEV2
    found.pass_time(START + 120 * MINUTE)
    assert only(found).severity is Severity.SEV1


def test_what_somebody_has_is_spared_where_the_rule_says_so() -> None:
    found = sim(replace(AGE, unacknowledged=True))
    found.feed(firing("odd"))
    found.feed(Command(at=START, by="anna", incident="INC-1", verb=Verb.ACK))
    found.pass_time(START + 2 * HOUR)
    assert only(found).severity is Severity.SEV2


@pytest.mark.parametrize(
    ("rule", "services", "severity", "why"),
    [
        (GROWTH, ["a", "a"], Severity.SEV2, ""),
        (GROWTH, ["a", "a", "a"], Severity.SEV1, "more than 2 alerts: it grows"),
        (SPREAD, ["a", "a", "b", "b"], Severity.SEV2, ""),
        (SPREAD, ["a", "b", "c"], Severity.SEV1, "more than 2 services"),
        (SPREAD, ["a", "b", "", "a"], Severity.SEV2, ""),
        (replace(SPREAD, alerts=3), ["a", "b", "c"], Severity.SEV2, ""),
        (replace(SPREAD, alerts=3), ["a", "b", "c", "c"], Severity.SEV1, "more than 3 alerts and more than 2 services"),
        (replace(GROWTH, matchers=matchers.parse_all('service="z"')), ["a", "a", "a"], Severity.SEV2, ""),
        (replace(GROWTH, severities=(Severity.SEV3,)), ["a", "a", "a"], Severity.SEV2, ""),
    ],
)  # fmt: skip
def test_growing_and_spreading(rule: Promotion, services: list[str], severity: Severity, why: str) -> None:
    found = sim(rule)
    for number, service in enumerate(services):
        found.feed(firing("odd", key=f"k{number}", labels={"service": service}))
    assert only(found).severity is severity
    raised = [moment.reasons[0].text for _, moment in found.moments if moment.what == "raised to SEV-1"]
    assert raised == ([why] if why else [])


@given(st.permutations(["a", "b", "c", "a", "", "b"]), st.integers(0, 4))
def test_the_verdict_on_a_spread_is_the_same_in_any_order(services: list[str], least: int) -> None:
    found = sim(replace(SPREAD, services=least, alerts=1))
    for number, service in enumerate(services):
        found.feed(firing("odd", key=f"k{number}", labels={"service": service}))
    assert (only(found).severity is Severity.SEV1) is (least < 3)


def test_a_person_lowers_it_with_new_clocks_another_route_and_word_to_who_was_paged() -> None:
    found = sim()
    found.feed(firing("api-broken"))
    found.pass_time(START + MINUTE)
    lower(found)
    incident = only(found)
    assert (incident.severity, incident.route, incident.phase) == (Severity.SEV3, "quiet", Phase.TRIGGERED)
    assert incident.respond_by == found.now + 4 * HOUR
    told = [
        (effect.purpose, effect.contact)
        for at, effect in found.effects
        if isinstance(effect, Deliver) and at == found.now
    ]
    assert told == [(Purpose.PAGE, "room"), (Purpose.UPDATE, "anna"), (Purpose.UPDATE, "room")]
    (line,) = [moment for _, moment in found.moments if moment.what.startswith("lowered")]
    assert line.what == "lowered from SEV-1 to SEV-3 by anna"
    assert [reason.text for reason in line.reasons] == [
        "anna says: no customer", "major will not raise it again, unless to worse than SEV-1",
    ]  # fmt: skip
    assert audit(found.state, found.now) == []


def test_the_rule_that_was_overruled_does_not_raise_it_again_and_another_does() -> None:
    found = sim()
    found.feed(firing("api-broken"))
    lower(found)
    found.feed(firing("api-broken"))
    found.feed(firing("api-broken", key="another"))
    assert only(found).severity is Severity.SEV3
    found.feed(firing("api-broken", key="third", vendor_severity="critical"))
    assert only(found).severity is Severity.SEV3
    worse = replace(QUIET.rules[1], name="worse-by-rule", severity=Severity.SEV1)
    found.policy = replace(found.policy, rules=(worse,))
    found.feed(firing("api-broken", key="fourth"))
    assert only(found).severity is Severity.SEV1
    (raised,) = [moment for _, moment in found.moments if moment.what == "raised to SEV-1"]
    assert raised.reasons[0].rule == "worse-by-rule"


def test_even_the_overruled_rule_raises_it_to_something_worse_than_before() -> None:
    found = sim()
    found.feed(firing("api-broken"))
    lower(found)
    outage = replace(QUIET.rules[1], severity=Severity.SEV0)
    found.policy = replace(found.policy, rules=(outage,))
    found.feed(firing("api-broken"))
    assert only(found).severity is Severity.SEV0


def test_a_promotion_that_was_overruled_does_not_come_back() -> None:
    found = sim(AGE)
    found.feed(firing("odd"))
    found.pass_time(START + HOUR)
    lower(found, Severity.SEV2)
    found.pass_time(START + 3 * HOUR)
    assert only(found).severity is Severity.SEV2


def test_a_person_may_raise_it_and_raise_it_again_after_it_was_lowered() -> None:
    found = sim()
    found.feed(firing("odd"))
    for severity in (Severity.SEV1, Severity.SEV3, Severity.SEV1):
        lower(found, severity)
        assert only(found).severity is severity


def test_what_no_longer_applies_is_only_noted() -> None:
    found = sim()
    found.feed(firing("odd"))
    lower(found, Severity.SEV2)
    found.feed(Command(at=START, by="anna", incident="INC-1", verb=Verb.RESOLVE))
    lower(found)
    found.feed(Graded(at=START, incident="INC-9", severity=3))
    assert only(found).severity is Severity.SEV2
    assert "anna confirmed SEV-2" in lines(found)
    assert lines(found)[-1] == "anna graded it SEV-3; it was already resolved"


def test_an_acknowledged_incident_that_is_lowered_stays_acknowledged() -> None:
    found = sim()
    found.feed(firing("api-broken"))
    found.feed(Command(at=START, by="anna", incident="INC-1", verb=Verb.ACK))
    before = len(found.effects)
    lower(found)
    assert only(found).phase is Phase.ACKNOWLEDGED
    assert [effect.purpose for _, effect in found.effects[before:] if isinstance(effect, Deliver)] == [
        Purpose.UPDATE
    ]
