"""HTML and SVG built from parts, so that no text from outside is ever markup."""

import re
from collections.abc import Iterable
from html import escape

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""Control characters, which no XML may hold, and marks that turn the reading direction."""
_VOID = frozenset({"br", "hr", "link", "meta"})


class Markup(str):
    """Text that is markup already; everything else is escaped."""

    __slots__ = ()


Inside = str | Markup | Iterable["Inside"]


def el(name: str, /, *inside: Inside, **attributes: str | float | None) -> Markup:
    """One element. `class_` is written class, `stroke_width` stroke-width; an attribute of None is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(inside)}</{name}>")


def join(inside: Inside) -> Markup:
    """Parts one after another."""
    if isinstance(inside, Markup):
        return inside
    if isinstance(inside, str):
        return Markup(escape(_UNSEEN.sub("", inside)))
    return Markup("".join(map(join, inside)))
