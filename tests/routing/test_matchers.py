"""Matchers mean what they mean in Alertmanager."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.language.matchers import BadMatcher, Matcher, all_match, from_mapping, parse, parse_all

# Every operator against a label that matches, differs, is empty, is absent.
TRUTH = [
    ('a="x"', True, False, False, False),
    ('a!="x"', False, True, True, True),
    ('a=~"x"', True, False, False, False),
    ('a!~"x"', False, True, True, True),
    ('a=""', False, False, True, True),
    ('a!=""', True, True, False, False),
    ('a=~""', False, False, True, True),
    ('a=~".+"', True, True, False, False),
    ('a=~".*"', True, True, True, True),
    ('a!~".+"', False, False, True, True),
    ('a=~"x|"', True, False, True, True),
]


@pytest.mark.parametrize(("text", "same", "other", "empty", "absent"), TRUTH, ids=[row[0] for row in TRUTH])
def test_an_absent_label_is_an_empty_one(
    text: str, same: bool, other: bool, empty: bool, absent: bool
) -> None:
    matches = parse(text).matches
    assert [matches({"a": "x"}), matches({"a": "y"}), matches({"a": ""}), matches({})] == [
        same, other, empty, absent,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name", "op", "value"),
    [
        ("a=b", "a", "=", "b"),
        ("  a  =  b  ", "a", "=", "b"),
        ("a=b c", "a", "=", "b c"),
        ('a="b"', "a", "=", "b"),
        ('a=" b "', "a", "=", " b "),
        ("a=", "a", "=", ""),
        ('a=""', "a", "=", ""),
        ("a!=b", "a", "!=", "b"),
        ("a=~b", "a", "=~", "b"),
        ("a!~b", "a", "!~", "b"),
        ("a==b", "a", "=", "=b"),
        ("a_1:b=c", "a_1:b", "=", "c"),
        ("team.name=x", "team.name", "=", "x"),
        ('"a b"="c"', "a b", "=", "c"),
        (r'"a\"b"="c"', 'a"b', "=", "c"),
        (r'a="b\"c"', "a", "=", 'b"c'),
        (r'a="b\\"', "a", "=", "b\\"),
        (r'a="b\nc"', "a", "=", "b\nc"),
        (r"a=b\nc", "a", "=", "b\nc"),
        (r'a="\d"', "a", "=", r"\d"),
        ("a=b\\", "a", "=", "b\\"),
        ("a='b'", "a", "=", "'b'"),
        ('a="żółć"', "a", "=", "żółć"),
        ('a="b,c"', "a", "=", "b,c"),
        ('a="{b}"', "a", "=", "{b}"),
    ],
)
def test_names_values_and_escapes_are_read(text: str, name: str, op: str, value: str) -> None:
    assert parse(text) == Matcher(name, op, value)


@pytest.mark.parametrize(
    "text",
    ["", "a", "=b", "a b", "{a=b}", 'a="b', 'a=b"', 'a=b"c', r'a="b\"', 'a="b"c"', "a~b", '""="x"', 'a=~"("'],
)
def test_what_is_no_matcher_is_refused_with_advice(text: str) -> None:
    with pytest.raises(BadMatcher) as refused:
        parse(text)
    assert refused.value.found
    assert refused.value.fix


@pytest.mark.parametrize(
    ("value", "label", "fits"),
    [
        ("ab", "ab", True),
        ("ab", "xab", False),
        ("ab", "abx", False),
        ("a|b", "b", True),
        ("a|b", "ab", False),
        ("a", "a\n", False),
        ("a$", "a\n", False),
        ("a.b", "a\nb", False),
        ("(?s)a.b", "a\nb", True),
        ("(?i)ab", "AB", True),
        ("(?P<x>a)b", "ab", True),
        ("^ab$", "ab", True),
    ],
)
def test_regular_expressions_are_anchored(value: str, label: str, fits: bool) -> None:
    assert Matcher("a", "=~", value).matches({"a": label}) is fits
    assert Matcher("a", "!~", value).matches({"a": label}) is not fits


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a=b", ["a=b"]),
        ("{a=b}", ["a=b"]),
        ("{a=b,}", ["a=b"]),
        (' { a="b" , c!~"d|e" } ', ["a=b", "c!~d|e"]),
        ('a="b,c",d="e"', ['a="b,c"', "d=e"]),
        (r'a="b\",c",d=e', [r'a="b\",c"', "d=e"]),
        ('{a="}"}', ['a="}"']),
    ],
)
def test_lists_split_at_commas_outside_of_quotes(text: str, parts: list[str]) -> None:
    assert parse_all(text) == tuple(parse(part) for part in parts)


@pytest.mark.parametrize("text", ["", "{}", "{a=b", "a=b}", "a=b,,c=d", ",a=b"])
def test_a_broken_list_is_refused(text: str) -> None:
    with pytest.raises(BadMatcher):
        parse_all(text)


def test_the_mapping_form_is_equality_or_one_of_several() -> None:
    assert from_mapping("a", "x.y") == parse("a=x.y")
    assert from_mapping("a", ["x.y"]) == parse("a=x.y")
    several = from_mapping("a", ["x.y", "z"])
    assert [several.matches({"a": value}) for value in ("x.y", "z", "xzy", "")] == [True, True, False, False]


def test_no_matcher_at_all_matches_everything() -> None:
    assert all_match((), {})


anything = st.text(max_size=30)
names = st.text(min_size=1, max_size=12).filter(lambda name: "\n" not in name)
equalities = st.builds(Matcher, names, st.sampled_from(["=", "!="]), anything)
patterns = st.builds(Matcher, names, st.sampled_from(["=~", "!~"]), anything.map(re.escape))


@given(st.one_of(equalities, patterns))
def test_the_text_of_a_matcher_reads_back_as_the_same(matcher: Matcher) -> None:
    assert parse(str(matcher)) == matcher
    assert hash(parse(str(matcher))) == hash(matcher)


@given(st.lists(st.one_of(equalities, patterns), min_size=1, max_size=4))
def test_the_text_of_a_list_reads_back_as_the_same(several: list[Matcher]) -> None:
    text = "{" + ",".join(str(matcher) for matcher in several) + "}"
    assert parse_all(text) == tuple(several)


@given(anything, st.dictionaries(st.sampled_from("abc"), anything))
def test_each_operator_is_the_opposite_of_its_negation(value: str, labels: dict[str, str]) -> None:
    for op, negated, written in (("=", "!=", value), ("=~", "!~", re.escape(value))):
        assert Matcher("a", op, written).matches(labels) is not Matcher("a", negated, written).matches(labels)


@given(anything, st.dictionaries(st.sampled_from("abc"), anything))
def test_an_escaped_pattern_is_equality(value: str, labels: dict[str, str]) -> None:
    like, equal = Matcher("a", "=~", re.escape(value)), Matcher("a", "=", value)
    assert like.matches(labels) is equal.matches(labels)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_never_worse(text: str) -> None:
    for read in (parse, parse_all):
        try:
            read(text)
        except BadMatcher:
            continue
