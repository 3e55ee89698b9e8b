"""What a step did to the outside, line by line, for the audit: "POST /v1/refunds answered 200"."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_lines: ContextVar[list[str] | None] = ContextVar("journal", default=None)


@contextmanager
def journal() -> Iterator[list[str]]:
    """Collects what is noted inside."""
    lines: list[str] = []
    token = _lines.set(lines)
    try:
        yield lines
    finally:
        _lines.reset(token)


def note(line: str) -> None:
    """Without secrets: it is kept. Outside of a journal nothing happens."""
    lines = _lines.get()
    if lines is not None:
        lines.append(line)
