"""The shape of the tree: floors, tests without packages, keys in one place, names that resolve."""

import ast
import importlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("routing", "ledger", "receiver", "workers", "console")
TASK_PATH = re.compile(r"^workers\.[a-z_.]+$")


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def resolve(path: str) -> object:
    """Import what "a.b:c" or "a.b.c" names. Raises ImportError or AttributeError."""
    module, _, name = path.partition(":") if ":" in path else path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_import_contracts_hold() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    result = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_tests_are_not_packages() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_every_module_says_what_lives_in_it() -> None:
    silent = [str(p.relative_to(ROOT)) for p in modules() if not ast.get_docstring(ast.parse(p.read_text()))]
    assert silent == []


def test_every_redis_key_is_explained() -> None:
    tree = ast.parse((ROOT / "ledger/keys.py").read_text())
    keys = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Keys")
    methods = [node for node in keys.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"]
    assert [method.name for method in methods if not ast.get_docstring(method)] == []


def test_redis_keys_are_named_in_one_place() -> None:
    elsewhere = [
        f"{path.relative_to(ROOT)}: {text!r}"
        for path in modules()
        if path != ROOT / "ledger/keys.py"
        for text in strings(path)
        if re.match(r"^tocsin:[{\w]", text)
    ]
    assert elsewhere == []


def test_httpx_is_imported_in_one_module_a_process() -> None:
    for package in PACKAGES:
        importers = [
            str(path.relative_to(ROOT))
            for path in sorted((ROOT / package).rglob("*.py"))
            if re.search(r"^\s*(?:import|from) httpx\b", path.read_text(), re.MULTILINE)
        ]
        assert len(importers) <= 1, importers


@pytest.mark.parametrize("group", ["project.scripts", "tocsin.commands"])
def test_every_entry_point_resolves(group: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    points = project["scripts"] if group == "project.scripts" else project["entry-points"][group]
    for name, target in points.items():
        assert callable(resolve(target)), name


def test_every_task_that_is_enqueued_by_name_exists() -> None:
    """RQ takes a misspelt path without a word and fails when the job runs."""
    paths = {text for path in modules() for text in strings(path) if TASK_PATH.match(text)}
    tasks = {path for path in paths if path.startswith("workers.tasks.") and path != "workers.tasks."}
    assert tasks
    assert [path for path in tasks if not callable(resolve(path))] == []
