"""Strict YAML: read as it looks, or refused at its place."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.schema.yaml_marks import Mark, read


def refused(text: str) -> list[tuple[int, int, str]]:
    return [(fault.line, fault.column, fault.found) for fault in read("c.yaml", text).faults]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", "a"), ("'1'", "1"), ('"no"', "no"), ("1", 1), ("-1", -1), ("0", 0), ("1.5", 1.5), ("1e3", 1000.0),
        (".5", 0.5), ("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("nope", "nope"),
        ("2026-01-05", "2026-01-05"), ("2026-01-05T09:00", "2026-01-05T09:00"), ("5m", "5m"), ("=", "="),
        ("1.2.3", "1.2.3"), ("SEV-0", "SEV-0"), ("http://x:1/y", "http://x:1/y"), ("\u0665", "\u0665"), ("- x", ["x"]),
    ],
)  # fmt: skip
def test_scalars_mean_what_yaml_1_2_says(text: str, value: object) -> None:
    document = read("c.yaml", f"k: {text}\n" if not text.startswith("-  ") else text)
    if text.startswith("- "):
        document = read("c.yaml", f"k:\n  {text}\n")
    assert document.faults == []
    assert document.data == {"k": value}
    assert type(document.data["k"]) is type(value)


@pytest.mark.parametrize(
    "text",
    ["no", "NO", "off", "N", "yes", "on", "y", "1:30", "190:20:30", "1:30.5", "+48500100200", "+5", "012", "-07",
     "0o17", "0x1F", "1_000", ".inf", "-.INF", ".nan", "1e999", "99999999999999999999"],
)  # fmt: skip
def test_what_older_yaml_reads_differently_is_refused_not_guessed(text: str) -> None:
    ((line, column, found),) = refused(f"a: 1\nk: {text}\n")
    assert (line, column) == (2, 4)
    assert found.startswith(f"{text} without quotes")


def test_a_trap_in_a_list_names_its_item() -> None:
    document = read("c.yaml", "a:\n  - x\n  - no\n")
    assert document.faults[0].path == "a.1"
    assert document.is_unsound(("a", 1))
    assert not document.is_unsound(("a", 0))


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, 'duplicate key "a", first on line 1'),
        ("x:\n  a: 1\n  'a': 2\n", 3, 3, 'duplicate key "a", first on line 2'),
        ("{a: 1, a: 2}\n", 1, 8, 'duplicate key "a"'),
        ("a: &x 1\n", 1, 4, "anchor &x"),
        ("a: *x\n", 1, 4, "alias *x"),
        ("a: !!str 1\n", 1, 4, "tag tag:yaml.org,2002:str"),
        ("a: !!python/object:os.system {b: 1}\n", 1, 4, "tag tag:yaml.org,2002:python/object"),
        ("a: !custom [1]\n", 1, 4, "tag !custom"),
        ("a:\n  <<: {b: 1}\n", 2, 3, "merge key <<"),
        ("? [a]\n: 1\n", 1, 3, "a key that is itself a list"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document"),
        ("a:\n\tb: 1\n", 2, 1, "not YAML"),
        ("a: [1,\nb: 2\n", 3, 1, "while parsing a flow sequence begun on line 1"),
        ("a: b: c\n", 1, 5, "not YAML"),
        ("a: 'x\n", 2, 1, "not YAML"),
        ("a: %x\n", 1, 4, "not YAML"),
        ("a: \x00\n", 1, 1, "not YAML"),
        ("a: 1\nb: caf\udce9\n", 2, 1, "bytes that are not UTF-8"),
        ("[" * 30, 1, 25, "nested deeper than 24"),
        ("a: " + "{b: " * 30, 1, 96, "nested deeper than 24"),
        ("", 1, 1, "the file is empty"),
        ("\n# only words\n", 1, 1, "the file is empty"),
        ("---\n...\n", 1, 1, "the file is empty"),
    ],
)
def test_what_a_configuration_never_needs_is_refused(text: str, line: int, column: int, says: str) -> None:
    found = refused(text)
    assert any((at, by) == (line, column) and says in what for at, by, what in found), found


def test_every_fault_is_told_at_once() -> None:
    text = "a: no\na: 2\nb: &x [1:30]\nc: *x\nd: !t 1\n"
    assert [line for line, _, _ in refused(text)] == [1, 2, 3, 3, 4, 5]


def test_an_alias_bomb_is_told_and_never_grows() -> None:
    text = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    document = read("c.yaml", text)
    assert len(json.dumps(document.data)) < 1000
    assert len(document.faults) == 61


def test_a_very_deep_file_is_refused_and_harms_nothing() -> None:
    assert "nested deeper" in refused("[" * 200_000)[0][2]


def test_tabs_get_their_own_advice() -> None:
    assert read("c.yaml", "a:\n\tb: 1\n").faults[0].fix == "indent with spaces, not tabs"


def test_keys_are_text_whatever_they_look_like() -> None:
    assert read("c.yaml", "no: 1\n1: 2\non: 3\n").data == {"no": 1, "1": 2, "on": 3}


def test_marks_lead_to_keys_values_and_items() -> None:
    document = read("c.yaml", "a:\n  b:   c\n  d:\n    - x\n    - {e: f}\n")
    assert document.key_mark(("a", "b")) == Mark(2, 3)
    assert document.value_mark(("a", "b")) == Mark(2, 8)
    assert document.value_mark(("a", "d", 1, "e")) == Mark(5, 11)
    assert document.key_mark(("a", "d", 1)) == Mark(5, 7)
    assert document.value_mark(("a", "nothing", "here")) == Mark(2, 3)


def test_who_reads_the_same_text_again_gets_nothing_that_was_added_to_the_first() -> None:
    first = read("c.yaml", "a: {b: yes}\n")
    (fault,) = first.faults
    first.refuse(Mark(1, 1), ("a",), "found later", "mend it")
    first.unsound.add(("a",))
    again = read("c.yaml", "a: {b: yes}\n")
    assert (again.faults, again.unsound) == ([fault], {("a", "b")})
    assert read("d.yaml", "a: {b: yes}\n").faults[0].file == "d.yaml"


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=20),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=8), below, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1, max_size=8).filter(lambda key: key != "<<"), plain, min_size=1))
def test_json_is_read_as_what_it_is(value: dict[str, object]) -> None:
    document = read("c.yaml", json.dumps(value))
    if not document.faults:
        assert document.data == value


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_never_worse(text: str) -> None:
    read("c.yaml", text)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@` \n\t?,<0.", max_size=40))
def test_any_punctuation_is_read_or_refused_never_worse(text: str) -> None:
    read("c.yaml", text)
