"""docs/sources.md is in step with the modules of the sources."""

from pathlib import Path

import pytest

from ledger import catalogue
from receiver import setups

PAGE = Path(__file__).parents[2] / "docs/sources.md"


def test_what_the_page_takes_from_the_modules_is_what_they_say() -> None:
    assert PAGE.read_text() == setups.page(PAGE.read_text()), "run: make docs"


def test_every_source_has_its_steps_on_the_page() -> None:
    text = PAGE.read_text()
    assert [name for name in catalogue.sources() if f"### {catalogue.source(name).TITLE}\n" not in text] == []


def test_a_page_without_a_place_for_them_is_told() -> None:
    with pytest.raises(ValueError, match="no place for the table"):
        setups.page("# Sources\n")
