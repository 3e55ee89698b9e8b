"""Text on its way out stays text, and fits."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.delivery import Message
from workers.text import cut, one_line, printable, whole


@given(st.text(), st.integers(1, 200))
def test_what_is_cut_fits_and_is_the_beginning(text: str, limit: int) -> None:
    found = cut(text, limit)
    assert len(found) <= limit
    assert found == text or text.startswith(found[:-1].rstrip())


def test_a_cut_ends_at_a_word_and_is_marked() -> None:
    assert cut("one two three four five six", 18) == "one two three…"


@given(st.text())
def test_printable_text_has_no_controls_and_one_line_has_no_lines(text: str) -> None:
    unsafe = {"Cc", "Cs", "Co", "Cn"}
    assert not unsafe & {unicodedata.category(char) for char in printable(text).replace("\n", "")}
    assert "\n" not in one_line(text)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("SEV-0: Site is down\nmore", "[INC-1] SEV-0 Site is down\nmore"),
        ("something else\nmore", "[INC-1] SEV-0 Site is down\nsomething else\nmore"),
        ("", "[INC-1] SEV-0 Site is down"),
    ],
)
def test_a_first_line_that_only_repeats_the_title_is_said_once(body: str, expected: str) -> None:
    assert whole(Message(title="[INC-1] SEV-0 Site is down", body=body)) == expected
