"""What `escalation.yaml` and `oncall.yaml` may say of steps, people, teams and limits, and their faults."""

import pytest
import shipped

from routing.escalation import Delay, When
from routing.instant import HOUR, MINUTE
from routing.load import load
from routing.policy import AtHours, Digest, Limit, Method, Policy
from routing.severity import Severity

TEAMS = "teams:\n  web: {contacts: [anna, ben], digest: {severities: [SEV-3], at: '09:00'}}\n"
BRANCHED = """  on-call:
    branches:
      - when: {severity: [SEV-3, SEV-4]}
        then: team-room
      - when: {outside: working, match: ['kind="SiteDown"']}
        steps:
          - {notify: [{contact: cto}], wait: 3m}
    delay: {severity: [SEV-2], hours: working}
"""
RICH = """  anna:
    by_hour:
      - {outside: working, page: {SEV-1: [{method: sms}, {method: phone, after: 3m}]}}
    quiet_hours: {outside: working}
    digest: {severities: [SEV-3, SEV-4], at: "09:30"}
"""


def changed(*changes: tuple[str, str, str]) -> dict[str, str]:
    files = shipped.files()
    for name, old, new in changes:
        assert old in files[f"config/{name}"]
        files[f"config/{name}"] = files[f"config/{name}"].replace(old, new, 1)
    return files


def built(*changes: tuple[str, str, str]) -> Policy:
    return load(changed(*changes), shipped.vendors())


def test_branches_become_steps_that_ask_for_their_condition_and_the_rest_asks_for_the_contrary() -> None:
    policy = built(("escalation.yaml", "  on-call:\n", BRANCHED))
    minor = When(severities=[3, 4])
    down = When(outside="working", match=['kind="SiteDown"'])
    steps = policy.escalations["on-call"].steps
    no_minor, no_down = (
        When(severities=[3, 4], negate=True),
        When(outside="working", match=['kind="SiteDown"'], negate=True),
    )
    assert [step.when for step in steps[:3]] == [(minor,), (no_minor, down), (no_minor, no_down)]
    assert steps[1].targets == (("contact", "cto"),)
    assert [step.delay for step in steps[:2]] == [None, Delay(hours="working", severities=[2])]


def test_a_step_names_teams_shifts_and_places() -> None:
    steps = "[{team: web}, {schedule: primary, shift: next}, {channel: mail, address: room@example.com}]"
    policy = built(
        ("escalation.yaml", "[{schedule: secondary}], wait: 5m", f"{steps}, wait: 5m, until: all"),
        ("oncall.yaml", "schedules:\n", TEAMS + "schedules:\n"),
    )
    step = policy.escalations["on-call"].steps[1]
    assert step.targets == (("team", "web"), ("next", "primary"), ("channel", "mail:room@example.com"))
    assert step.until == "all"
    assert policy.teams["web"].digest == Digest(frozenset({Severity.SEV3}), 540, "Europe/Warsaw")


def test_a_person_says_how_they_want_it_at_which_hour() -> None:
    anna = built(("oncall.yaml", "  anna:\n", RICH)).contacts["anna"]
    (rule,) = anna.by_hour
    assert rule.at == AtHours("working", outside=True)
    assert rule.by_severity == {
        Severity.SEV1: (Method("sms", "+48500000001"), Method("voice", "+48500000001", 3 * MINUTE))
    }
    assert anna.quiet_hours == AtHours("working", outside=True)
    assert anna.digest == Digest(frozenset({Severity.SEV3, Severity.SEV4}), 570, "Europe/Warsaw")


def test_the_limits_are_goalerts_unless_said_otherwise() -> None:
    """1 a minute; calls 3 in 15 minutes, 7 an hour, 15 in 3 hours; SMS 5, 11 and 21; mail 1 a minute."""
    policy = built(("oncall.yaml", "schedules:\n", "limits:\n  message: {1m: 2}\nschedules:\n"))
    assert policy.limits["call"] == (
        Limit(1, MINUTE), Limit(3, 15 * MINUTE), Limit(7, HOUR), Limit(15, 3 * HOUR),
    )  # fmt: skip
    assert [limit.count for limit in policy.limits["text"]] == [1, 5, 11, 21]
    assert policy.limits["message"] == (Limit(2, MINUTE),)


FAULTS = [
    ("unknown team", "escalation.yaml", "{contact: commander}", "{team: payments}", "team: payments",
     'no team "payments"', "there is none to name yet (team names come from config/oncall.yaml)"),
    ("unknown hours", "escalation.yaml", "wait: 10m}\n    repeat", "wait: 10m, when: {during: workin}}\n    repeat",
     "workin", 'no hours "workin"', 'did you mean "working"?'),
    ("two targets in one", "escalation.yaml", "{contact: commander}", "{contact: commander, schedule: primary}",
     "commander", "both a contact and a schedule", "write one of contact, team, schedule or channel"),
    ("shift of nothing", "escalation.yaml", "{contact: commander}", "{contact: commander, shift: next}", "shift",
     "a shift of no schedule", "write it beside of schedule"),
    ("unknown shift", "escalation.yaml", "{schedule: secondary}", "{schedule: secondary, shift: nxt}", "nxt",
     "'nxt' is text", 'did you mean "next"?'),
    ("channel without an address", "escalation.yaml", "{contact: commander}", "{channel: mail}", "channel: mail",
     "a channel without an address", "write both"),
    ("place that rings", "escalation.yaml", "{contact: commander}", "{channel: voice, address: '+48500'}", "voice",
     '"voice" rings a phone', "make a contact of it"),
    ("condition of nothing", "escalation.yaml", "wait: 10m}\n    repeat", "wait: 10m, when: {}}\n    repeat", "when: {}",
     "a condition that asks for nothing", "write severity, service, team"),
    ("until when", "escalation.yaml", "wait: 10m}\n    repeat", "wait: 10m, until: everyone}\n    repeat", "everyone",
     "'everyone' is text", "write one of ack, all"),
    ("SEV-1 that waits", "escalation.yaml", "wait: 10m}\n    repeat",
     "wait: 10m, delay: {severity: [SEV-1, SEV-3], hours: working}}\n    repeat", "SEV-1, SEV-3",
     "SEV-1 that waits", "SEV-0 and SEV-1 are told at once"),
    ("branch that leads nowhere", "escalation.yaml", "  on-call:\n",
     "  on-call:\n    branches: [{when: {severity: [SEV-3]}}]\n", "branches", "a branch that leads nowhere", "add steps"),
    ("cycle through a branch", "escalation.yaml", "  on-call:\n",
     "  on-call:\n    branches: [{when: {severity: [SEV-3]}, then: payments}]\n", "branches",
     "a cycle: on-call then payments then on-call", "end one of them without then"),
    ("method of nobody, with a delay", "oncall.yaml", "[phone, sms], SEV-1", "[{method: phne}, sms], SEV-1", "phne",
     'no method "phne" of this contact', 'did you mean "phone"?'),
    ("nobody tried at once", "oncall.yaml", "[phone, sms], SEV-1", "[{method: phone, after: 1m}], SEV-1", "after: 1m",
     "no method that is tried at once", "leave out after of the first"),
    ("hours both ways", "oncall.yaml", "  anna:\n", "  anna:\n    quiet_hours: {during: working, outside: working}\n",
     "quiet_hours", "both during and outside", "write one of the two"),
    ("digest of an outage", "oncall.yaml", "  anna:\n", "  anna:\n    digest: {severities: [SEV-0], at: '09:00'}\n",
     "SEV-0", "SEV-0 that waits", "told at once, at any hour"),
    ("digest at no time", "oncall.yaml", "  anna:\n", "  anna:\n    digest: {severities: [SEV-3], at: 9 am}\n", "9 am",
     "'9 am' is no time of day", 'like "09:00"'),
    ("team of strangers", "oncall.yaml", "schedules:\n", "teams: {web: {contacts: [anna, bne]}}\nschedules:\n", "bne",
     'no contact "bne"', 'did you mean "ben"?'),
    ("team with a twin", "oncall.yaml", "schedules:\n", "teams: {web: {contacts: [anna, anna]}}\nschedules:\n", "anna, anna",
     "anna a second time", "remove it"),
    ("limit of nothing", "oncall.yaml", "schedules:\n", "limits: {call: {15m: 0}}\nschedules:\n", "15m: 0",
     "0 is a number", "write 1 or more"),
    ("limit without a unit", "oncall.yaml", "schedules:\n", "limits: {call: {15: 3}}\nschedules:\n", "15: 3",
     "'15' is not a duration", "write it with units"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "line", "found", "fix"),
    [row[1:] for row in FAULTS],
    ids=[row[0] for row in FAULTS],
)
def test_a_fault_is_told_once_at_its_line_with_its_fix(
    name: str, old: str, new: str, line: str, found: str, fix: str
) -> None:
    files = shipped.spoilt(name, old, new)
    (fault,) = shipped.faults(files)
    assert (fault.file, found in fault.found, fix in fault.fix) == (f"config/{name}", True, True), str(fault)
    text = files[f"config/{name}"].split("\n")[fault.line - 1]
    assert line in text
    assert 1 <= fault.column <= len(text)
