"""Bodies that hold several reports: JSON arrays, and JSON objects one a line (NDJSON)."""

from collections.abc import Callable
from typing import Any

import orjson

from receiver import strict_json
from routing.errors import Unreadable
from routing.event import Event
from routing.ports import Parsed, Unread

_MOST = 5_000


def parse(body: bytes, one: Callable[[dict[str, Any]], Event | None]) -> Parsed:
    """An event of each element that is one; what cannot be read is dead alone. A single object is one element.

    `one` raises Unreadable; None is an element that says nothing to us. Raises Unreadable when it is neither.
    """
    events: list[Event] = []
    unread: list[Unread] = []
    for where, raw, value in _elements(body):
        try:
            found = one(strict_json.object_of(strict_json.loads(raw) if value is None else value, where))
        except Unreadable as error:
            unread.append(Unread(error.reason, error.where or where, raw or orjson.dumps(value)))
        else:
            events += [found] if found is not None else []
    return Parsed(events, unread)


def _elements(body: bytes) -> list[tuple[str, bytes, Any]]:
    """(where, raw bytes, None) of each line, or (where, b"", value) of each element."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    if len(lines) > 1 and all(line.lstrip()[:1] == b"{" for line in lines):
        return _bounded([(f"line {number}", line, None) for number, line in enumerate(lines, 1)])
    value = strict_json.loads(body)
    if not isinstance(value, list):
        return [("", b"", strict_json.object_of(value))]
    return _bounded([(f"[{number}]", b"", each) for number, each in enumerate(value)])


def _bounded(elements: list[tuple[str, bytes, Any]]) -> list[tuple[str, bytes, Any]]:
    if len(elements) > _MOST:
        raise Unreadable(f"more than {_MOST} elements in one body")
    return elements
