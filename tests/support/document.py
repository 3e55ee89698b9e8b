"""What the operational document names, what docs/document.md says runs for it now, and what the tests execute of that."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click
import pages
import shipped
import yaml

from console.main import tocsin
from routing.load import RUNBOOKS
from routing.schema.runbook_tests import read_tests
from routing.simulation.proving import prove

PAGE = pages.ROOT / "docs/document.md"
SUMMARY = pages.ROOT / "docs/runbooks.md"
LIST = pages.ROOT / "tests/docs/document.yaml"

PERSON, MISSING = "person", "missing"
_CODE = re.compile(r"`([^`]+)`")
_ROW = re.compile(r"^\| `?([^|`]+?)`? \| (.+) \|$", re.MULTILINE)
_HEAD = "runs now"
_RUNNERS = {"run", "ask", "tocsin", "invoke", "send"}
_ROOMS = ("console", "flow")
"""Tests of the command line; elsewhere a `run("backup")` is an action."""


@dataclass(frozen=True, slots=True)
class Facts:
    """`chapters`: chapter -> section -> its commands. `human`: what only a person can do."""

    chapters: Mapping[str, Mapping[str, list[str]]]
    human: frozenset[str]

    @property
    def keys(self) -> set[str]:
        """Every section and every command, once."""
        sections = {section for each in self.chapters.values() for section in each}
        return sections | {
            command for each in self.chapters.values() for some in each.values() for command in some
        }


@dataclass(frozen=True, slots=True)
class Row:
    """`runbooks`: (id, the steps that are meant). `commands`: of ours. `probes`: names."""

    key: str
    cell: str
    runbooks: tuple[tuple[str, tuple[str, ...]], ...]
    commands: tuple[tuple[str, ...], ...]
    probes: tuple[str, ...]

    @property
    def is_human(self) -> bool:
        return self.cell.startswith(PERSON)

    @property
    def is_missing(self) -> bool:
        return self.cell.startswith(MISSING)


def facts() -> Facts:
    found = yaml.safe_load(LIST.read_text())
    return Facts(found["chapters"], frozenset(found["human"]))


def rows(text: str) -> list[Row]:
    """Of every table of a page; heads left out."""
    return [
        _row(key, cell) for key, cell in _ROW.findall(text) if cell != _HEAD and not set(key) <= set("-: ")
    ]


def _row(key: str, cell: str) -> Row:
    codes = _CODE.findall(cell)
    named = [each.removeprefix("runbook ").partition(": ") for each in codes if each.startswith("runbook ")]
    return Row(
        key=key.strip(),
        cell=cell,
        runbooks=tuple((name, tuple(re.split(r",\s*", steps)) if steps else ()) for name, _, steps in named),
        commands=tuple(path_of(each) for each in codes if each.startswith("tocsin ")),
        probes=tuple(each.removeprefix("probe ") for each in codes if each.startswith("probe ")),
    )


def path_of(line: str) -> tuple[str, ...]:
    """("incidents", "show") of "tocsin incidents show INC-12"; () when there is no such command."""
    found: click.Command | None = tocsin
    path: list[str] = []
    for word in line.split()[1:]:
        if not isinstance(found, click.Group):
            break
        found = found.get_command(click.Context(found), word)
        if found is None:
            return ()
        path.append(word)
    return () if isinstance(found, click.Group) else tuple(path)


@cache
def steps_shown() -> Mapping[str, frozenset[str]]:
    """By runbook that ships: the steps that its own tests carry out and give an answer, where these tests hold."""
    policy = shipped.policy()
    found: dict[str, set[str]] = {each.id: set() for each in policy.runbooks}
    for name, text in shipped.files().items():
        for test in read_tests(name, text, policy) if RUNBOOKS in name else ():
            proved = prove(policy, test)
            if not proved.failure:
                given = {each.step for each in test.scenario.world if each.gives is not None}
                found[test.runbook] |= given & set(proved.steps)
    return {name: frozenset(steps) for name, steps in found.items()}


@cache
def commands_run() -> frozenset[tuple[str, ...]]:
    """The first two words of every command of ours that a test runs."""
    files = [file for room in _ROOMS for file in (pages.ROOT / "tests" / room).rglob("test_*.py")]
    words = [each for file in files for each in _told(file)]
    return frozenset(each[:size] for each in words for size in (1, 2))


def _told(file: Path) -> Iterator[tuple[str, ...]]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and _name(node.func) in _RUNNERS:
            yield _words(node.args)
            yield from (_words(each.elts) for each in node.args if isinstance(each, ast.List))


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _words(arguments: list[Any]) -> tuple[str, ...]:
    """The constant words it begins with."""
    found: list[str] = []
    for each in arguments:
        if not (isinstance(each, ast.Constant) and isinstance(each.value, str)):
            break
        found.append(each.value)
    return tuple(found)
