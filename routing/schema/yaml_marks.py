"""Strict YAML: plain data, with line and column of every key and value, and every fault at once.

Scalars are read as YAML 1.2 reads them. What YAML 1.1 tools read differently (`no`, `1:30`, `012`) is refused
instead of guessed, and so is what a configuration never needs: duplicate keys, anchors, aliases, merge keys,
tags, several documents. Built from the parser's events, so nesting costs no recursion.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import yaml

from routing.errors import Fault
from routing.schema.refusal import Refusal
from routing.schema.yaml_scalars import scalar

Path = tuple[str | int, ...]

DEEPEST = 24
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Mark:
    """Counted from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Document:
    """`unsound` are the paths whose value could not be taken as written: their fault is already told.

    Only faults and unsound paths may be added to; the rest is shared by all who read the same text.
    """

    file: str
    data: Any = None
    values: dict[Path, Mark] = field(default_factory=dict)
    keys: dict[Path, Mark] = field(default_factory=dict)
    unsound: set[Path] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def value_mark(self, path: Path) -> Mark:
        """Where the value at the path begins; where its nearest ancestor does when it is not there."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Mark(1, 1))

    def key_mark(self, path: Path) -> Mark:
        """Where the key that leads to the path stands; an item of a list has none, its value is it."""
        return self.keys.get(path) or self.value_mark(path)

    def is_unsound(self, path: Path) -> bool:
        return any(path[:end] in self.unsound for end in range(len(path) + 1))

    def refuse(self, mark: Mark, path: Path, found: str, fix: str) -> None:
        self.faults.append(Fault(self.file, mark.line, mark.column, dotted(path), found, fix))


def dotted(path: Path) -> str:
    return ".".join(str(part) for part in path)


def read(file: str, text: str) -> Document:
    """Read one file. Its faults are in the document; with a syntax error the data ends where that was."""
    found = _read(file, text)
    return replace(found, unsound=set(found.unsound), faults=list(found.faults))


@lru_cache(maxsize=128)
def _read(file: str, text: str) -> Document:
    """A change of the configuration touches one file of dozens: the others are parsed once."""
    document = Document(file)
    try:
        _Builder(document).run(_events(document, text))
    except _Stop:
        document.unsound.add(())
    return document


class _Stop(Exception):
    """Nothing sensible can be read after this."""


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet. `key` is the one that waits for its value."""

    path: Path
    items: dict[str, Any] | list[Any]
    key: str | None = None
    key_mark: Mark | None = None


class _Builder:
    """Builds the data from the parser's events, with a stack instead of recursion."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.open: list[_Open] = []
        self.documents = 0

    def run(self, events: Iterator[yaml.Event]) -> None:
        for event in events:
            self._take(event)
        if self.documents == 0 or (not self.document.faults and self.document.data is None):
            self._stop(Mark(1, 1), "the file is empty", "write its content, or restore it")

    def _take(self, event: yaml.Event) -> None:
        """Most are scalars, and most of the others collections."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, _mark(event.start_mark))
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event, _mark(event.start_mark))
        elif isinstance(event, yaml.CollectionEndEvent):
            self.open.pop()
        elif isinstance(event, yaml.AliasEvent):
            mark = _mark(event.start_mark)
            self._refuse(mark, f"alias *{event.anchor}", "write the value out: aliases are not supported")
            self._place(None, mark, unsound=True)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                found, fix = "a second document begins", "keep one document in a file, remove the ---"
                self._stop(_mark(event.start_mark), found, fix)

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark) -> None:
        unsound = self._refuse_extras(event, mark)
        if self._awaits_key():
            self._key(event.value, mark)
            return
        plain = event.style in {None, ""}
        try:
            value = scalar(event.value) if plain else event.value
        except Refusal as refusal:
            self._refuse(mark, refusal.found, refusal.fix)
            value, unsound = None, True
        self._place(value, mark, unsound=unsound)

    def _begin(self, event: yaml.CollectionStartEvent, mark: Mark) -> None:
        unsound = self._refuse_extras(event, mark)
        if self._awaits_key():
            self._stop(mark, "a key that is itself a list or mapping", "write a plain name as the key")
        if len(self.open) >= DEEPEST:
            self._stop(mark, f"nested deeper than {DEEPEST} levels", "flatten it")
        items: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.open.append(_Open(self._place(items, mark, unsound=unsound), items))

    def _awaits_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1].items, dict) and self.open[-1].key is None

    def _key(self, key: str, mark: Mark) -> None:
        top = self.open[-1]
        if key == "<<":
            self._refuse(mark, "merge key <<", "write the values out: merging is not supported")
        elif key in top.items:
            first = self.document.keys[(*top.path, key)].line
            self._refuse(mark, f'duplicate key "{key}", first on line {first}', "keep one of the two", key)
        top.key, top.key_mark = key, mark

    def _place(self, value: Any, mark: Mark, *, unsound: bool) -> Path:
        """Put the value where the parser is, and return its path."""
        path: Path = ()
        if self.open:
            path = self._place_in(self.open[-1], value)
        else:
            self.document.data = value
        self.document.values.setdefault(path, mark)
        if unsound:
            self.document.unsound.add(path)
        return path

    def _place_in(self, top: _Open, value: Any) -> Path:
        if isinstance(top.items, list):
            top.items.append(value)
            return (*top.path, len(top.items) - 1)
        key, top.key = top.key or "", None
        path = (*top.path, key)
        if key == "<<":
            # Kept out of the data: its fault is told, and nothing else is to stumble over it.
            return path
        top.items.setdefault(key, value)
        if top.key_mark is not None:
            self.document.keys.setdefault(path, top.key_mark)
        return path

    def _refuse_extras(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, mark: Mark) -> bool:
        """Anchors and tags; true when the value must not be taken as it stands."""
        if event.anchor is not None:
            self._refuse(mark, f"anchor &{event.anchor}", "remove it: anchors and aliases are not supported")
        if event.tag is not None:
            self._refuse(mark, f"tag {event.tag}", "remove it: every value has the type it is written in")
        return event.tag is not None

    def _refuse(self, mark: Mark, found: str, fix: str, key: str | None = None) -> None:
        path: Path = ()
        if self.open:
            top = self.open[-1]
            part = len(top.items) if isinstance(top.items, list) else key or top.key
            path = top.path if part is None else (*top.path, part)
        self.document.refuse(mark, path, found, fix)

    def _stop(self, mark: Mark, found: str, fix: str) -> None:
        self._refuse(mark, found, fix)
        raise _Stop


def _events(document: Document, text: str) -> Iterator[yaml.Event]:
    """The parser's events; its errors become the document's faults."""
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.isascii() and any("\ud800" <= letter <= "\udfff" for letter in line):
            document.refuse(Mark(number, 1), (), "bytes that are not UTF-8", "save the file as UTF-8")
            raise _Stop
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = _mark(error.problem_mark or error.context_mark)
        context = f" {error.context}" if error.context else ""
        if context and error.context_mark is not None:
            context += f" begun on line {error.context_mark.line + 1}"
        document.refuse(mark, (), f"not YAML: {error.problem}{context}", _advice(text, mark))
        raise _Stop from error
    except yaml.YAMLError as error:
        document.refuse(Mark(1, 1), (), f"not YAML: {error}", "remove what is not text")
        raise _Stop from error


def _advice(text: str, mark: Mark) -> str:
    lines = text.split("\n")
    line = lines[mark.line - 1] if mark.line <= len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces, not tabs"
    return "check the indentation, quotes and brackets here and on the line before"


def _mark(mark: Any) -> Mark:
    return Mark(mark.line + 1, mark.column + 1) if mark is not None else Mark(1, 1)
