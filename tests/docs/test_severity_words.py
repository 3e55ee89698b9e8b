"""What the documentation says of vendors' words is what they mean."""

import re
from pathlib import Path

from routing.policy import vendor_words
from routing.severity import Severity

PAGE = Path(__file__).parents[2] / "docs/configure.md"


def test_the_table_of_vendors_words_is_the_one_built_in() -> None:
    rows = re.findall(r"^\| SEV-(\d) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    told = {word.lower(): Severity(int(level)) for level, words in rows for word in words.split(", ")}
    ours = {f"sev-{number}": Severity(max(1, number)) for number in range(5)}
    assert told == {**vendor_words.WORDS, **ours}


def test_every_vendor_with_words_of_its_own_is_named() -> None:
    text = PAGE.read_text().lower().replace(" ", "_")
    assert [vendor for vendor in vendor_words.DIALECTS if vendor not in text] == []
