"""Templates of messages: which one counts, what it may do, what fails before it goes live, what if it fails after."""

import time
from dataclasses import replace
from typing import Any

import pages
import pytest
import shipped
from notices import HOSTILE, MESSAGE, notice
from small_policy import HERE, POLICY

from routing.delivery import Message, Purpose
from routing.errors import ConfigError, Fault
from routing.load import examine
from routing.policy import Template
from routing.severity import Severity
from routing.templates import choosing, samples, wording
from routing.templates.facts import facts
from routing.templates.sandbox import BadTemplate, compiled


def made(**texts: str) -> dict[str, Template]:
    """By name, with "__" for the dot, the template of this body, or of `part` where it says so."""
    return {
        name.replace("__", ".").replace("sev_", "sev-"): Template(name, {"body": text}, {"body": HERE})
        for name, text in texts.items()
    }


def body(templates: dict[str, Template], channel: str = "sms", **changes: Any) -> str:
    return wording.word(templates, notice(**changes), channel, samples.AT).message.body


def faults(**texts: str) -> list[Fault]:
    """Of the shipped configuration with these files in `templates/`, "__" for a dot in their names."""
    files = {
        f"config/templates/{name.replace('__', '.').replace('sev_', 'sev-')}.yaml": text
        for name, text in texts.items()
    }
    try:
        examine({**shipped.files(), **files}, shipped.vendors(), {}, secrets=False)
    except ConfigError as error:
        return list(error.faults)
    return []


def test_the_most_special_file_gives_the_part() -> None:
    known = made(page="all", page__sev_0="zero", sms__page="sms", sms__page__sev_0="sms zero")
    assert body(known) == "sms zero"
    assert body(known, severity=Severity.SEV2) == "sms"
    assert body(known, "mail") == "zero"
    assert body(known, "mail", severity=Severity.SEV2) == "all"
    assert body(known, purpose=Purpose.UPDATE) == MESSAGE.body


def test_a_part_that_no_file_gives_stays_as_it_was_decided() -> None:
    told = wording.word(made(page="ours"), notice(), "sms", samples.AT).message
    assert (told.title, told.body, told.speech) == (MESSAGE.title, "ours", MESSAGE.speech)


def test_a_message_for_several_incidents_has_a_kind_of_its_own() -> None:
    known = made(page="one", bundle="several: {{ message.body }}")
    assert body(known, together=True) == f"several: {MESSAGE.body}"


def test_what_a_template_may_name_is_told_in_the_persons_zone() -> None:
    sample = samples.samples("page", None)[0]
    known = facts(sample, "sms", samples.AT)
    assert known["incident"]["since"] == "Mon 24 Nov 16:48 CET"
    assert known["incident"]["lasted"] == "12m"
    assert known["incident"]["suspect"] == "8 min after production deploy dpl_1 by carol"
    assert (known["incident"]["next"], known["person"]["title"]) == ("call the secondary", "Anna")
    asked = facts(samples.samples("approval", None)[0], "sms", samples.AT)["run"]
    assert (asked["does"], asked["approve"]) == (["stripe.refund"], "tocsin runbook approve INC-42-r1")


def test_every_kind_has_the_same_names_whatever_is_known() -> None:
    shapes = {
        (tuple(known), *(tuple(sorted(known[name])) for name in ("incident", "run", "person", "message")))
        for kind in choosing.KINDS
        for sample in samples.samples(kind, None)
        for known in [facts(sample, "sms", samples.AT)]
    }
    assert len(shapes) == 1


def test_html_escapes_what_payloads_wrote() -> None:
    hostile = replace(notice(), message=Message(title="t", body=HOSTILE))
    page = Template("page", {"html": "<p>{{ message.body | br }}</p>"}, {"html": HERE})
    told = wording.word({"page": page}, hostile, "mail", samples.AT).message.html
    assert "<script>" not in told
    assert "&lt;script&gt;" in told
    assert "{{ secret }}" in told  # what was filled in is not looked at again


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{% for a in range(1000) %}x{% endfor %}", "range of more than 100"),
        ("{% for a in range(9) %}{% for b in range(9) %}{% for c in range(9) %}x{% endfor %}{% endfor %}{% endfor %}", "2 loops within"),
        ("{% for a in 'abc' %}x{% endfor %}", "no list"),
        ("{{ 'x' * 1000000000 }}", "no number"),
        ("{{ 9 * 999999999 * 999999999 }}", "too large"),
        ("{{ 9 ** 999999999 }}", "pow is not possible"),
        ("{{ '%999999999d' % 1 }}", "mod is not possible"),
        ("{{ 'a' ~ 'b' }}", "concat is not possible"),
        ("{{ 'x'.ljust(999999999) }}", "a call"),
        ("{{ ''.__class__ }}", "has no attribute"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "macro is not possible"),
        ("{% include 'x' %}", "include is not possible"),
        ("{{ 'x' | center(99) }}", "No filter named 'center'"),
        ("{{ message.body | safe }}", "No filter named 'safe'"),
        ("{% for a in range(99) %}{% for b in range(99) %}{{ 'xxxxxxxxxxxxxxx' }}{% endfor %}{% endfor %}", "longer than 60000"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "nested too deeply"),
        ("{% set x = 'aaaaaaaaaa' %}" + "{% set x = x | replace('a', x) %}" * 8 + "{{ x }}", "a value of more than"),
        ("{{ 1 // 0 }}", "zero"),
        ("{{ nothing }}", "undefined"),
        ("x" * 20_001, "longer than 20000"),
    ],
)  # fmt: skip
def test_a_template_cannot_run_away(text: str, why: str) -> None:
    began = time.monotonic()
    with pytest.raises(BadTemplate, match=why):
        compiled(text, html=False).fill(facts(notice(), "sms", samples.AT))
    assert time.monotonic() - began < 5


def test_the_longest_that_is_allowed_is_quick() -> None:
    inner = "{% for a in range(100) %}{% for b in range(100) %}{% set c = a * b %}{% endfor %}{% endfor %}"
    began = time.monotonic()
    compiled(inner * 10 + "x", html=False).fill({})
    assert time.monotonic() - began < 5


def test_a_body_is_cut_to_what_anybody_reads() -> None:
    text = "{% for a in range(99) %}{{ message.body }}{{ message.body }}{% endfor %}"
    told = body(made(page=text))
    assert len(told) == wording.LONGEST["body"]
    assert told.endswith("…")


def test_a_template_that_fails_leaves_the_plain_message_and_says_where() -> None:
    failing = made(page="\n{{ 1 // (incident.number - 0) }}")
    told = wording.word(failing, notice(), "sms", samples.AT)
    assert told.message == MESSAGE
    (failure,) = told.failures
    assert failure.template == "page"
    assert failure.why.startswith("config/test.yaml:7 body: line 2:")


def test_faults_name_file_line_column_and_what_to_write() -> None:
    text = """title: "{{ incident.severity }} {{ incident.titel }}"
body: |
  {{ incident.title }}
  {% if incident.tried %}Tried: {{ incident.tired }} {{ nope }}{% endif %}
speech: |
  Incident {{ incident.number }}.
  {{ 60 // incident.firing }}
html: <p>{{ message.title
"""
    found = [(f.line, f.column, f.path, f.found, f.fix) for f in faults(page=text)]
    assert [each[:3] for each in found] == [
        (1, 45, "title"), (4, 45, "body"), (4, 57, "body"), (7, 3, "speech"), (8, 10, "html"),
    ]  # fmt: skip
    assert found[0][3:] == ('incident has no "titel"', 'did you mean "title"?')
    assert 'nothing is called "nope"' in found[2][3]
    assert "zero" in found[3][3]
    assert "when little is known" in found[3][4]


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("pages", "title: x\n", "names no kind of message"),
        ("smss__page", "title: x\n", 'no channel "smss"'),
        ("page__sev_7", "title: x\n", "names no kind of message"),
        ("page", "{}\n", "without any part"),
        ("page", "titel: x\n", "titel"),
        ("update", "body: All is well.\n", "nothing of what happened"),
        ("page", "html: <p>{{ message.body }}</p>\n", "no link to answer with"),
        ("page", 'body: "{{ run.id }}"\n', "says nothing"),
    ],
)
def test_what_would_mislead_does_not_go_live(name: str, text: str, found: str) -> None:
    (fault,) = faults(**{name: text})
    assert found in fault.found
    assert fault.file == f"config/templates/{name.replace('__', '.').replace('sev_', 'sev-')}.yaml"


def test_good_templates_are_part_of_the_policy_and_of_its_version() -> None:
    files = {**shipped.files(), "config/templates/sms.page.sev-0.yaml": 'body: "{{ incident.title }}"\n'}
    found = examine(files, shipped.vendors(), {}, secrets=False).policy
    assert found.version != shipped.policy().version
    assert found.templates["sms.page.sev-0"].parts == {"body": "{{ incident.title }}"}
    assert str(found.templates["sms.page.sev-0"].origins["body"]) == "config/templates/sms.page.sev-0.yaml:1"


def test_without_templates_every_message_is_what_was_decided() -> None:
    assert POLICY.templates == {}
    assert wording.word(POLICY.templates, notice(), "sms", samples.AT).message is MESSAGE


def test_the_documented_template_goes_live() -> None:
    (block,) = [each for each in pages.blocks("yaml") if each.page.name == "templates.md"]
    assert faults(page=block.text) == []
