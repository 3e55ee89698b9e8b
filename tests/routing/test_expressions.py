"""Conditions in JMESPath: what they mean, and what they refer to."""

from typing import Any

import pytest

from routing.language.expressions import BadExpression, compiled, evaluate, holds, pitfalls, roots

CONTEXT: dict[str, Any] = {
    "health": {"failures": 3, "ok": False, "none": 0, "results": []},
    "deployments": {"current": {"age_minutes": 12}, "candidate": None},
    "incident": {"severity": "SEV-0", "labels": {"a-b": "c"}},
    "empty": "",
}


@pytest.mark.parametrize(
    ("expression", "held"),
    [
        ("health.failures == `3`", True),
        ("health.failures >= `4`", False),
        ("deployments.current.age_minutes < `60`", True),
        ("deployments.candidate", False),
        ("deployments.candidate.uid", False),
        ("deployments.candidate.age_minutes < `60`", False),
        ("!(deployments.candidate)", True),
        ("health.ok", False),
        ("health.none", True),
        ("health.results", False),
        ("empty", False),
        ("`{}`", False),
        ("nothing.at.all == `1`", False),
        ("nothing < `60`", False),
        ("incident.severity == 'SEV-0' && health.failures > `2`", True),
        ("incident.labels.\"a-b\" == 'c'", True),
        ("length(health.results) == `0`", True),
        ("contains(['SEV-0', 'SEV-1'], incident.severity)", True),
    ],
)
def test_conditions_hold_as_jmespath_says(expression: str, held: bool) -> None:
    assert holds(expression, CONTEXT) is held


@pytest.mark.parametrize("expression", ["", "a ==", "a.", "ok = `1`", "a[", "`1", "foo("])
def test_what_is_no_expression_is_refused_with_it_named(expression: str) -> None:
    with pytest.raises(BadExpression) as refused:
        compiled(expression)
    assert repr(expression) in str(refused.value)


@pytest.mark.parametrize(
    "expression", ["length(health.failures)", "lenght(health)", "abs('x')", "sum(health)"]
)
def test_what_cannot_be_evaluated_says_so(expression: str) -> None:
    with pytest.raises(BadExpression):
        evaluate(expression, CONTEXT)


def test_a_deeply_nested_expression_is_refused_not_fatal() -> None:
    with pytest.raises(BadExpression):
        compiled("!" * 20_000 + "a")


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("a", {"a"}),
        ("a.b.c", {"a"}),
        ("a.b == c.d && !e", {"a", "c", "e"}),
        ("a[0].b", {"a"}),
        ("a[?b == `1`].c", {"a"}),
        ("a[*].b | [0]", {"a"}),
        ("length(a) > b", {"a", "b"}),
        ("sort_by(a, &b)", {"a", "b"}),
        ("{x: a, y: [b, `1`]}", {"a", "b"}),
        ("`1` == 'x'", set()),
        ("@", set()),
    ],
)
def test_what_an_expression_reads_at_the_top_is_known(expression: str, names: set[str]) -> None:
    assert roots(expression) == names


@pytest.mark.parametrize(
    ("expression", "fix"),
    [
        ("lenght(a) > `1`", 'did you mean "length"?'),
        ("sort_by(a, &legth(@)) && max(b)", 'did you mean "length"?'),
        ("!a.b", "write !(a.b) instead of !a.b"),
        ("c && !a.b[0].d", "write !(a.b) instead of !a.b"),
    ],
)
def test_what_parses_but_cannot_be_meant_is_found(expression: str, fix: str) -> None:
    assert [refusal.fix for refusal in pitfalls(expression)] == [fix]


def test_what_is_meant_has_no_pitfalls() -> None:
    assert pitfalls("!(a.b) && !a && length(b) > `1` && d.e[?f] | [0]") == []


def test_a_compiled_expression_is_kept() -> None:
    assert compiled("a.b.c == `1`") is compiled("a.b.c == `1`")
