"""Every calendar the documentation shows is one that is imported, for contacts of the shipped configuration."""

import pages
import pytest
import shipped

from routing.instant import DAY, parse_iso
from routing.oncall.importing import Book, match, read

EXAMPLES = list(pages.blocks("ics"))
DECEMBER = parse_iso("2026-12-01T00:00Z")


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: f"{block.page.name}:{block.line}")
def test_a_documented_calendar_is_imported(block: pages.Block) -> None:
    found = read(block.text.encode(), "Europe/Warsaw", DECEMBER, DECEMBER + 30 * DAY)
    matched = match(found, Book(shipped.policy().contacts), "primary")
    assert matched.shifts
    assert (matched.unknown, matched.remarks) == ((), ())


def test_there_is_an_example() -> None:
    assert EXAMPLES
