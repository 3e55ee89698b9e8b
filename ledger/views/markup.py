"""HTML and SVG built from parts, so that no text from outside is ever markup."""

from collections.abc import Iterable
from html import escape

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
        return Markup(escape(inside))
    return Markup("".join(map(join, inside)))
