"""Bodies in the box where they are edited: all of it is seen, and what nobody changed is what it was."""

import json
from typing import Any

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as some

from console.output import plain
from console.written_out import as_json, editable, read

JSON: some.SearchStrategy[Any] = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
)


@examples(200)
@given(some.text())
def test_any_text_comes_back_as_it_was_and_is_all_seen(body: str) -> None:
    found = editable(body)
    assert plain(found.text) == found.text
    if found.escaped:
        assert read(found.text) == body
        assert "\r" not in found.text, "a form would send something else"
    elif as_json(body) is None:
        assert found.text == body


@examples(200)
@given(JSON, some.booleans(), some.sampled_from([None, 2]))
def test_any_json_is_the_same_json_laid_out(value: Any, ascii_: bool, indent: int | None) -> None:
    found = editable(json.dumps(value, ensure_ascii=ascii_, indent=indent))
    assert not found.escaped
    assert plain(found.text) == found.text
    assert json.loads(found.text) == value
    assert editable(found.text) == found, "looked at once more it is the same"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (
            '{"a": 12.50, "a": 1e400, "b":[ ],"c":{}}',
            '{\n  "a": 12.50,\n  "a": 1e400,\n  "b": [],\n  "c": {}\n}',
        ),
        ('["\u202egnp.exe\U000e0041", "caf\\u00e9"]', '[\n  "\\u202egnp.exe\\udb40\\udc41",\n  "café"\n]'),
        ('"[not, {a: list}]"', '"[not, {a: list}]"'),
    ],
)
def test_json_keeps_its_numbers_and_names_and_shows_what_cannot_be_seen(body: str, shown: str) -> None:
    assert editable(body).text == shown


@pytest.mark.parametrize(
    ("body", "shown", "escaped"),
    [
        ("a=\u202eb\\c\r\n", "a=\\u202eb\\\\c\\u000d\n", True),
        ('{"a": "\u2066x"', '{"a": "\\u2066x"', True),
        ("C:\\new\tfile", "C:\\new\tfile", False),
        ("[" * 100_000, "[" * 100_000, False),
    ],
)
def test_what_is_no_json_is_written_out_only_where_it_must_be(body: str, shown: str, escaped: bool) -> None:
    found = editable(body)
    assert (found.text, found.escaped) == (shown, escaped)
