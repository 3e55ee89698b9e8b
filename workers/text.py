"""Text on its way out: what payloads wrote must stay text, and must fit."""

import unicodedata

from routing.delivery import Message

_UNSAFE = {"Cc", "Cs", "Co", "Cn"}
"""Controls, surrogates, private use, unassigned: XML forbids some, terminals obey others."""
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They reorder what follows, so that a line can be made to read as something else."""


def printable(text: str) -> str:
    """The text without characters that are not text; newlines stay, tabs become spaces."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(
        char
        for char in text
        if char == "\n" or (unicodedata.category(char) not in _UNSAFE and char not in _BIDI)
    )


def one_line(text: str) -> str:
    """The same in one line, with single spaces: for headers and for the ear."""
    return " ".join(printable(text).split())


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, ended at a word where one is near, and marked with an ellipsis."""
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    head = text[: limit - 1]
    space = max(head.rfind(" "), head.rfind("\n"))
    if space > limit * 2 // 3:
        head = head[:space]
    return head.rstrip() + "…"


def whole(message: Message) -> str:
    """Title and body as one text; a first line of the body that only repeats the title is left out."""
    title = one_line(message.title)
    first, _, rest = printable(message.body).strip().partition("\n")
    if one_line(first).replace(": ", " ", 1) in title:
        return f"{title}\n{rest}".strip()
    return f"{title}\n{first}\n{rest}".strip()
