"""No pattern of the configuration can be stalled by a label from the internet."""

import time

import pytest

from routing.language.patterns import LONGEST, BadPattern, compile_pattern

STALLING = [
    "(a+)+", "(a*)*", "(a|a)*", "(a|ab)+", "(a{2,})*", "((a+)b?)+", "(?:a+){10}", "(a+){2,}", "(a|b){3}",
    "(.*a){20}", ".*a.*b.*c.*", "a*a*a*a*", "(?i:(a+))+",
]  # fmt: skip
FOREIGN = ["(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", r"(a)\1", "(?P<x>a)(?P=x)", "(a)?(?(1)b|c)"]
BROKEN = ["(", "[", "a**", "a{2}{3}**", "(?P<x", "[[:alpha:]]", "\\", "*a"]
FINE = [
    "a|b", "(a|b)", "(a|b)?c", "(ab)+", ".*foo.*", "a.*b.*", r"\(a+\)+", "[(a+)]+", "[]a]+", "[^]a(]+x",
    r"\*\*\*\*\*", "(?i)abc", r"deployment\.(succeeded|ready)", "(?:abc){3}", "a{2,3}b{4,}", "", r"\d+\w*",
]  # fmt: skip


@pytest.mark.parametrize("text", [*STALLING, *FOREIGN, *BROKEN])
def test_what_could_stall_or_means_something_else_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(BadPattern) as refused:
        compile_pattern(text)
    assert refused.value.fix


@pytest.mark.parametrize("text", FINE)
def test_ordinary_patterns_are_taken(text: str) -> None:
    compile_pattern(text)


@pytest.mark.parametrize("text", [*FINE, ".*a.*b", "a*a*b", "(ab)*(ba)*c", "a+b+c+"])
def test_what_is_taken_ends_soon_on_a_hostile_value(text: str) -> None:
    pattern = compile_pattern(text)
    began = time.process_time()
    for value in ("a" * LONGEST, "ab" * (LONGEST // 2), "a" * (LONGEST - 1) + "!", "b" * LONGEST):
        pattern.fullmatch(value)
    assert time.process_time() - began < 1
