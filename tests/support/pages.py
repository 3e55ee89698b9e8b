"""The documentation as tests see it: pages, their links, headings and fenced blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]\n]+\]\((?P<to>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language and marks ("console run"), its text, and the line it starts at."""

    page: Path
    line: int
    info: tuple[str, ...]
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every page people read, the ones at the top included."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(language: str) -> Iterator[Block]:
    for page in pages():
        text = page.read_text()
        for found in FENCE.finditer(text):
            info = tuple(found["info"].split())
            if info[:1] == (language,):
                yield Block(page, text.count("\n", 0, found.start()) + 1, info, found["text"])


def links(page: Path) -> set[str]:
    """Links to files of this project, fenced blocks left out."""
    text = FENCE.sub("", page.read_text())
    return {found["to"] for found in LINK.finditer(text) if not re.match(r"[a-z]+:", found["to"])}


def anchors(page: Path) -> set[str]:
    """Heading anchors, as forges make them."""
    text = FENCE.sub("", page.read_text())
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text))
    return {heading.strip().replace(" ", "-") for heading in plain}


def everything() -> str:
    """All pages as one text."""
    return "\n".join(page.read_text() for page in pages())
