"""Placeholders are filled once; what came from outside is text and stays text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.language.template import TemplateGap, fill, fill_known, is_malformed, paths

CONTEXT = {
    "incident": {"id": "INC-7", "labels": {"app": "shop", "a-b": "c"}, "suspect": None},
    "health": {"failures": 3, "ok": False, "ratio": 0.5, "results": [{"status": 502}, {"status": 200}]},
    "now": 1_764_000_000_000,
    "evil": "{{ incident.id }} ${HOME} {% raw %} `id` $(id) ' OR 1=1",
}


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("plain", "plain"),
        ("{{ incident.id }}", "INC-7"),
        ("{{incident.id}}", "INC-7"),
        ("on {{ incident.id }}!", "on INC-7!"),
        ("{{ incident.id }}{{ incident.id }}", "INC-7INC-7"),
        ("{{ health.failures }}", 3),
        ("{{ health.ok }}", False),
        ("{{ health.results }}", [{"status": 502}, {"status": 200}]),
        ("{{ incident.suspect }}", None),
        ("{{ health.results.1.status }}", 200),
        ("{{ incident.labels.a-b }}", "c"),
        ("{{ health.failures }} of 3, ok: {{ health.ok }}", "3 of 3, ok: false"),
        ("{{ health.ratio }}/1", "0.5/1"),
        ("{{ incident.labels }}!", '{"app":"shop","a-b":"c"}!'),
        ({"a": ["{{ now }}", {"b": "{{ incident.id }}"}], "n": 1}, {"a": [1_764_000_000_000, {"b": "INC-7"}], "n": 1}),
        (("{{ now }}",), [1_764_000_000_000]),
        (5, 5),
        (None, None),
        ("{ incident.id }", "{ incident.id }"),
    ],
)  # fmt: skip
def test_placeholders_are_filled(value: Any, filled: Any) -> None:
    found = fill(value, CONTEXT)
    assert found == filled
    assert type(found) is type(filled)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{ health.failures }} of {{ nothing }}", "3 of ?"),
        ("{{ incident.suspect }} and {{ incident.suspect.id }}: {{ incident.id }}", "? and ?: INC-7"),
        ("{{ evil }}", CONTEXT["evil"]),
        ("{{ health.ok }}", "false"),
    ],
)
def test_what_is_not_known_leaves_the_rest_of_a_sentence_readable(text: str, filled: str) -> None:
    assert fill_known(text, CONTEXT, "?") == filled


@pytest.mark.parametrize(
    "text",
    ["{{ nothing }}", "{{ incident.nothing }}", "{{ incident.id.upper }}", "{{ health.results.2 }}",
     "{{ health.results.-1 }}", "{{ incident.labels.app.0 }}", "{{ now.real }}", "{{ incident.suspect.id }}",
     "x {{ incident.suspect }}"],
)  # fmt: skip
def test_a_path_that_leads_nowhere_is_a_gap(text: str) -> None:
    with pytest.raises(TemplateGap) as gap:
        fill(text, CONTEXT)
    assert gap.value.path in text


def test_attributes_and_methods_are_out_of_reach() -> None:
    for path in ("incident.__class__", "evil.format", "health.results.__len__", "incident.keys"):
        with pytest.raises(TemplateGap):
            fill(f"{{{{ {path} }}}}", CONTEXT)


def test_a_value_that_looks_like_a_placeholder_is_never_evaluated() -> None:
    assert fill("{{ evil }}", CONTEXT) == CONTEXT["evil"]
    assert fill("<{{ evil }}>", CONTEXT) == f"<{CONTEXT['evil']}>"


@given(st.text(), st.text(alphabet="{} abc.", max_size=20))
def test_whatever_a_value_holds_comes_out_as_it_is(value: str, around: str) -> None:
    if is_malformed(around) or paths(around):
        return
    assert fill(f"{around}>{{{{ x }}}}", {"x": value, "abc": "no"}) == f"{around}>{value}"


@pytest.mark.parametrize(
    ("text", "malformed"),
    [
        ("{{ a.b }}", False), ("a { b }", False), ("{{ a }", True), ("{ a }}", True), ("{{ }}", True),
        ("{{ a b }}", True), ("{{ a|upper }}", True), ("{{ a.b() }}", True), ("{{ a }} }}", True),
        ("{{ .a }}", True), ("{{ a. }}", True),
    ],
)  # fmt: skip
def test_braces_that_are_no_placeholder_are_seen(text: str, malformed: bool) -> None:
    assert is_malformed(text) is malformed


def test_every_path_is_listed() -> None:
    assert paths("{{ a.b }} and {{c}} and {{ a.b }}") == ["a.b", "c", "a.b"]
