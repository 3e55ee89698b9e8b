"""Placeholders: `{{ dotted.path }}` in strings, filled in once and never looked at again.

There are no expressions, filters or calls. A value that itself looks like a placeholder stays what it is.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from routing.errors import TocsinError

Place = tuple[str | int, ...]

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\s*\}\}")


class TemplateGap(TocsinError):
    """A placeholder's path leads nowhere, or to null where text is needed."""

    def __init__(self, path: str) -> None:
        super().__init__(f"nothing at {{{{ {path} }}}}")
        self.path = path


def fill(value: Any, context: Mapping[str, Any]) -> Any:
    """The value with every placeholder in its strings filled; lists and mappings are gone through.

    A string that is exactly one placeholder becomes the value itself, type and all. Raises TemplateGap.
    """
    if isinstance(value, str):
        return _fill_text(value, context)
    if isinstance(value, Mapping):
        return {key: fill(each, context) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [fill(each, context) for each in value]
    return value


def fill_known(text: str, context: Mapping[str, Any], unknown: str) -> str:
    """The text for people: a placeholder whose path leads nowhere, or to null, becomes `unknown`."""

    def one(found: re.Match[str]) -> str:
        try:
            return _as_text(found[1], context)
        except TemplateGap:
            return unknown

    return _PLACEHOLDER.sub(one, text)


def texts(value: Any, at: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every string that `fill` would go through, with where in the value it is."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from texts(each, (*at, name))
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for number, each in enumerate(value):
            yield from texts(each, (*at, number))


def paths(text: str) -> list[str]:
    """Every path that `fill` would look up in a string."""
    return [found[1] for found in _PLACEHOLDER.finditer(text)]


def is_malformed(text: str) -> bool:
    """Whether braces are left that look like a placeholder and are none."""
    rest = _PLACEHOLDER.sub("", text)
    return "{{" in rest or "}}" in rest


def _fill_text(text: str, context: Mapping[str, Any]) -> Any:
    whole = _PLACEHOLDER.fullmatch(text)
    if whole:
        return _look_up(whole[1], context)
    return _PLACEHOLDER.sub(lambda found: _as_text(found[1], context), text)


def _look_up(path: str, context: Mapping[str, Any]) -> Any:
    value: Any = context
    for part in path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list | tuple) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise TemplateGap(path)
    return value


def _as_text(path: str, context: Mapping[str, Any]) -> str:
    value = _look_up(path, context)
    if value is None:
        # "null" in the middle of an address or a message is never what was meant.
        raise TemplateGap(path)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
