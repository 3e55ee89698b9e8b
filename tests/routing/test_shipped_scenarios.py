"""The shipped configuration is rehearsed: each severity, and each section of the operators' procedures."""

from functools import cache

import pytest
import shipped

from ledger import policies
from routing.policy.routes import all_routes
from routing.schema.scenario import read_scenario
from routing.severity import Severity
from routing.simulation.judge import rehearse
from routing.simulation.scenario import Scenario

SECTIONS = (
    "Incident Response Procedures", "High Response Times", "Memory Usage Issues", "Data Breach", "DDoS Attack",
    "Security Monitoring", "Complete Service Outage", "Partial Service Degradation",
    "Database Connection Problems", "Database Performance Issues", "Database Backup and Recovery",
    "Payment Failures", "Webhook Issues", "Refund and Dispute Issues", "Booksy Synchronization Issues",
    "Google Analytics Issues", "Monitoring and Alerting Response", "High Error Rate Alert",
    "High Memory Usage Alert", "Database Connection Limit Alert", "Scaling Procedures",
    "Communication Procedures", "Runbook Maintenance", "Contact Information", "Escalation Contacts",
)  # fmt: skip


@cache
def scenarios() -> dict[str, Scenario]:
    texts = policies.read_tests(shipped.FOLDER)
    return {name: read_scenario(name, text, shipped.policy()) for name, text in texts.items()}


@pytest.mark.parametrize("name", policies.read_tests(shipped.FOLDER))
def test_what_a_shipped_scenario_expects_happens(name: str) -> None:
    scenario = scenarios()[name]
    assert scenario.expectations
    assert rehearse(shipped.policy(), scenario).failures == ()


def test_every_section_is_rehearsed() -> None:
    found = {section for each in scenarios().values() for section in each.reference.split(", ")}
    assert found == set(SECTIONS)


def test_every_severity_is_rehearsed() -> None:
    assert {each.severity for one in scenarios().values() for each in one.expectations} >= set(Severity)


def test_every_route_is_taken_in_some_scenario() -> None:
    taken = {
        incident.route
        for scenario in scenarios().values()
        for incident in rehearse(shipped.policy(), scenario).played.simulation.incidents()
    }
    assert taken == {route.name for route in all_routes(shipped.policy().route)}
