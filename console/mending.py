"""Changing the body of a dead letter: in an editor, from a file, or one value at a time."""

import json
import re
from collections.abc import Iterable
from typing import Any

import click

_PATH = re.compile(r"(\[\d+\]|[^.\[\]]+)(\[\d+\]|\.[^.\[\]]+)*")
_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def read(name: str) -> bytes:
    """The file's bytes; "-" is stdin. Raises click.UsageError."""
    try:
        with click.open_file(name, "rb") as file:
            return bytes(file.read())
    except OSError as error:
        raise click.UsageError(f"--body: {name} cannot be read: {error.strerror}") from error


def edited(raw: bytes) -> bytes:
    """As $EDITOR left it. Raises click.ClickException when nothing was changed, or it is no text."""
    try:
        before = raw.decode()
    except UnicodeDecodeError as error:
        raise click.ClickException("it is not UTF-8 text; replace it whole with --body FILE") from error
    after = click.edit(before, extension=".json")
    if after is None or after == before:
        raise click.ClickException("nothing was changed")
    return after.encode()


def with_values(raw: bytes, pairs: Iterable[tuple[str, str]]) -> bytes:
    """The JSON body with each path, like "data.object.amount" or "alerts[0].status", set to its value.

    A value is read as JSON where it is JSON, else it is text. Raises click.UsageError naming what is missing.
    """
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise click.UsageError(
            f"--set needs JSON to set something in, and the body is none ({error}); use --body FILE"
        ) from error
    for path, text in pairs:
        _set(body, path, value_of(text))
    return json.dumps(body, ensure_ascii=False).encode()


def _set(body: Any, path: str, value: Any) -> None:
    *above, last = _parts(path)
    place = body
    for part in above:
        place = _within(place, part, path)
    if isinstance(last, int):
        _within(place, last, path)
    elif not isinstance(place, dict):
        raise click.UsageError(f"--set {path}: what holds {last!r} is no object")
    place[last] = value


def _parts(path: str) -> list[str | int]:
    if not _PATH.fullmatch(path):
        raise click.UsageError(f"--set: {path!r} is no path; write data.object.amount or alerts[0].status")
    return [part[1] or int(part[2]) for part in _PART.finditer(path)]


def _within(place: Any, part: str | int, path: str) -> Any:
    try:
        return place[part]
    except (KeyError, IndexError, TypeError) as error:
        raise click.UsageError(f"--set {path}: there is no {part!r} in the body") from error


def value_of(text: str) -> Any:
    """JSON where it is JSON, else text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
