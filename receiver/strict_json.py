"""JSON as vendors must send it: one meaning or none.

orjson already refuses NaN, infinities, invalid UTF-8, lone surrogates, control characters, a byte order mark
and endless nesting. Here two keys of one name are refused too (RFC 8259 section 4 leaves their meaning open),
and what makes later code recurse deeply.
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson

from routing.errors import Unreadable

_INDENTED = orjson.OPT_INDENT_2


def loads(body: bytes) -> Any:
    """The value a body holds. Raises Unreadable saying what is wrong and where."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(_explain(body, error)) from error
    _refuse_doubles(body, value)
    return value


def object_of(value: Any, where: str = "") -> dict[str, Any]:
    """The value, if it is a JSON object. Raises Unreadable."""
    if not isinstance(value, dict):
        raise Unreadable(f"expected a JSON object, found {_kind(value)}", where)
    return value


def text_of(holder: Mapping[str, Any], key: str, where: str = "") -> str:
    """A member that must be a non-empty string. Raises Unreadable."""
    value = holder.get(key)
    if not isinstance(value, str) or not value:
        raise Unreadable(
            f"expected a non-empty string, found {_kind(value)}", f"{where}.{key}" if where else key
        )
    return value


def whole_of(holder: Mapping[str, Any], key: str, where: str = "") -> int:
    """A member that must be a whole number of at most 64 bits (others get rounded). Raises Unreadable."""
    value = holder.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(
            f"expected a whole number of at most 64 bits, found {_kind(value)}",
            f"{where}.{key}" if where else key,
        )
    return value


def _explain(body: bytes, error: orjson.JSONDecodeError) -> str:
    if not body:
        return "the body is empty; expected JSON"
    return f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"


def _refuse_doubles(body: bytes, value: Any) -> None:
    r"""Written back as vendors write it, compact or indented by two, a body is itself, or had doubles.

    Written in another way, it has fewer quotation marks without its doubles: to count them costs 5 µs for 3 KB.
    Where that differs for another reason (a mark written as \\u0022), the standard library's parser, ten times
    slower, has the last word.
    """
    try:
        written = orjson.dumps(value, option=_INDENTED if body.startswith(b"{\n") else None)
    except orjson.JSONEncodeError as error:
        raise Unreadable("the body is nested more than 254 levels deep") from error
    if body != written and body.count(b'"') != written.count(b'"'):
        try:
            json.loads(body, object_pairs_hook=_no_doubles, parse_int=str, parse_float=str)
        except RecursionError as error:
            raise Unreadable("the body is nested too deep") from error


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        doubled = [key for key, times in Counter(key for key, _ in pairs).items() if times > 1]
        raise Unreadable(f"the key {doubled[0][:80]!r} appears more than once in one object")
    return found


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if value == "":
        return "an empty string"
    return _KINDS.get(type(value), "something else")


_KINDS = {
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number with a fraction, or too large",
    list: "a list",
    dict: "an object",
}
