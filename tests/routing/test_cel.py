"""Conditions in CEL: they hold, they fail alone, and a configuration says what is wrong with them."""

import sys
from dataclasses import replace

import pytest
import shipped
from small_policy import HERE, POLICY, START

from routing.alerts.classify import classify
from routing.event import Event, Status
from routing.language import cel, matchers
from routing.policy import SeverityRule
from routing.severity import Severity

ODD = matchers.parse_all('kind="Odd"')
EVENT = Event(
    source="am", vendor="alertmanager", kind="Odd", status=Status.FIRING, key="k", title="t",
    labels={"env": "prod"}, details={"amount": "9000"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "holds", "evaluates"),
    [
        ("labels.env == 'prod' && int(event.details.amount) > 1000", True, True),
        ("labels.env == 'dev'", False, True),
        ("labels.absent == 'x'", False, False),
        ("has(labels.absent) && labels.absent == 'x'", False, True),
        ("event.details.amount", False, False),
    ],
)
def test_a_rule_may_hold_by_a_condition_in_cel(text: str, holds: bool, evaluates: bool) -> None:
    pytest.importorskip("cel_expr_python")
    rules = (
        SeverityRule("cel", ODD, HERE, when=text, language="cel", severity=Severity.SEV1),
        SeverityRule("next", ODD, HERE, severity=Severity.SEV3),
    )
    found = classify(replace(POLICY, rules=rules), EVENT, START)
    assert found.severity is (Severity.SEV1 if holds else Severity.SEV3)
    assert found.reasons[0].text.startswith("skipped: ") is not evaluates


WRITTEN = "    team: platform\n"


def with_cel(text: str) -> dict[str, str]:
    return shipped.spoilt("severity.yaml", WRITTEN, f"{WRITTEN}    when: {{cel: {text}}}\n")


@pytest.mark.parametrize("text", ["labels.env ==", "nowhere.env == 'x'"])
def test_a_condition_that_is_no_cel_is_a_fault_at_its_line(text: str) -> None:
    pytest.importorskip("cel_expr_python")
    files = with_cel(text)
    (fault,) = shipped.faults(files)
    assert fault.line == shipped.line_of("severity.yaml", "cel:", files)
    assert "is no condition" in fault.found
    assert "write a CEL condition" in fault.fix


def test_sound_cel_loads() -> None:
    pytest.importorskip("cel_expr_python")
    assert shipped.faults(with_cel("labels.env == 'prod'")) == ()


def test_without_the_package_the_fault_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cel_expr_python.cel", None)
    cel.compiled.cache_clear()
    (fault,) = shipped.faults(with_cel("labels.env == 'prod'"))
    assert "not installed" in fault.found
    assert "pip install 'tocsin[cel]'" in fault.fix
