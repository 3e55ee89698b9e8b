"""Tests that the documentation calls its proof exist."""

import re

import pages


def test_every_test_named_in_the_docs_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", pages.everything()))
    source = "\n".join(path.read_text() for path in (pages.ROOT / "tests").rglob("test_*.py"))
    assert named
    assert {name for name in named if f"def {name}(" not in source} == set()
