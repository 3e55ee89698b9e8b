"""Bodies as people edit them: all of it can be seen, and what was not changed comes back as it was, byte by byte.

What cannot be seen turns the reading direction, or does worse. JSON has escapes for it, and is the same JSON with them;
in any other text it is written in the same way, and so is every backslash, to tell them from what was there.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from console.output import plain

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_ESCAPE = re.compile(r"\\(?:\\|u([0-9a-fA-F]{4}))")
_INDENT = "  "


@dataclass(frozen=True, slots=True)
class Editable:
    """`escaped`: it is read back by `read`; else it is what it says."""

    text: str
    escaped: bool = False


def editable(body: str) -> Editable:
    laid_out = as_json(body)
    if laid_out is not None:
        return Editable(laid_out)
    if "\r" not in body and plain(body) == body:
        return Editable(body)
    return Editable("".join(_written(each) for each in body), escaped=True)


def read(text: str) -> str:
    """The body whose escapes these are."""
    found = _ESCAPE.sub(lambda each: chr(int(each[1], 16)) if each[1] else "\\", text)
    return found.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")  # pairs are one


def as_json(body: str) -> str | None:
    """JSON laid out, each number and name as it stands, and what cannot be seen as an escape; None where it is none."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return None
    return "".join(_lines(_TOKEN.findall(body)))


def _lines(pieces: list[str]) -> Iterator[str]:
    depth = 0
    for before, piece in zip(["", *pieces], pieces, strict=False):
        if piece in "}]":
            depth -= 1
        if ((before in {"{", "["} or piece in "}]") and before + piece not in {"{}", "[]"}) or before == ",":
            yield "\n" + _INDENT * depth
        yield piece if piece[0] != '"' else _string(piece)
        if piece == ":":
            yield " "
        if piece in "{[":
            depth += 1


def _string(piece: str) -> str:
    return "".join(map(_seen, json.dumps(json.loads(piece), ensure_ascii=False)))


def _seen(char: str) -> str:
    return char if plain(char) == char else json.dumps(char)[1:-1]


def _written(char: str) -> str:
    if char == "\\":
        return "\\\\"
    return char if char != "\r" and plain(char) == char else _units(char)


def _units(char: str) -> str:
    raw = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{raw[at : at + 2].hex()}" for at in range(0, len(raw), 2))
