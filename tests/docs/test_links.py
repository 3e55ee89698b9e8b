"""Links of the documentation lead somewhere."""

from pathlib import Path

import pages
import pytest


@pytest.mark.parametrize("page", pages.pages(), ids=lambda page: str(page.relative_to(pages.ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for link in sorted(pages.links(page)):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in pages.anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_can_be_reached_from_the_index() -> None:
    index = pages.ROOT / "docs/index.md"
    reached = {(index.parent / link.partition("#")[0]).resolve() for link in pages.links(index)}
    assert {page for page in pages.pages() if page.parent == index.parent} - reached - {index} == set()
