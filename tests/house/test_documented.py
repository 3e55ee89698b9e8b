"""What exists is documented: vendors' modules, environment variables, metrics, commands."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pages
import pytest

from console.main import tocsin

ROOT = Path(__file__).parents[2]
PACKAGES = ("ledger", "receiver", "workers", "console")
VENDORS = {
    "sources": ("receiver/sources", "docs/sources.md"),
    "channels": ("workers/channels", "docs/channels.md"),
    "actions": ("workers/actions", "docs/actions.md"),
    "pollers": ("workers/pollers", "docs/sources.md"),
}


def vendor_modules() -> Iterator[tuple[str, str]]:
    for kind, (folder, _) in VENDORS.items():
        for path in sorted((ROOT / folder).glob("[a-z]*.py")):
            yield kind, path.stem


def constants(pattern: str) -> dict[str, str]:
    """Every string of our code that matches -> the file it is in."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                text = node.value if isinstance(node, ast.Constant) else None
                if isinstance(text, str) and re.fullmatch(pattern, text):
                    found[text] = str(path.relative_to(ROOT))
    return found


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command, name
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize(("kind", "name"), list(vendor_modules()))
def test_every_vendor_module_has_its_line_in_the_docs(kind: str, name: str) -> None:
    page = ROOT / VENDORS[kind][1]
    assert re.search(rf"`{name}`", page.read_text()), f"{page.name} does not mention `{name}`"


@pytest.mark.parametrize(("kind", "name"), list(vendor_modules()))
def test_every_vendor_module_has_tests(kind: str, name: str) -> None:
    imports = re.compile(
        rf"{VENDORS[kind][0].replace('/', '[./]')}[./]{name}\b|import [^\n]*\b{name}\b|[\"']{name}[\"'./]"
    )
    tests = (path for path in (ROOT / "tests").rglob("test_*.py") if path.parent.name != "house")
    assert any(imports.search(path.read_text()) for path in tests)


@pytest.mark.parametrize("name", [name for kind, name in vendor_modules() if kind == "sources"])
def test_every_source_has_samples(name: str) -> None:
    assert list((ROOT / "receiver/samples" / name).glob("*.json"))


@pytest.mark.parametrize("name", [name for kind, name in vendor_modules() if kind == "actions"])
def test_every_action_is_documented(name: str) -> None:
    page = (ROOT / VENDORS["actions"][1]).read_text()
    actions = importlib.import_module(f"workers.actions.{name}").ACTIONS
    assert [f"{name}.{action}" for action in actions if f"{name}.{action}" not in page] == []


def test_every_environment_variable_is_documented() -> None:
    told = pages.everything()
    read = constants(r"TOCSIN_[A-Z0-9_]+")
    assert {name: where for name, where in read.items() if name not in told} == {}


def test_every_variable_the_configuration_names_is_documented() -> None:
    told = pages.everything()
    named = {
        name
        for path in (ROOT / "config").rglob("*.yaml")
        for name in re.findall(r"\$\{([A-Z][A-Z0-9_]*)", path.read_text())
    }
    assert named
    assert {name for name in named if name not in told} == set()


def test_every_metric_is_documented() -> None:
    told = pages.everything()
    metrics = constants(r"tocsin_[a-z_]+")
    assert metrics
    assert {name: where for name, where in metrics.items() if f"`{name}" not in told} == {}


def test_alert_rules_use_metrics_that_exist() -> None:
    rules = (ROOT / "config/prometheus/tocsin-alerts.yaml").read_text()
    known = set(constants(r"tocsin_[a-z_]+"))
    suffix = re.compile(r"_(?:bucket|count|sum|total|created)$")
    used = set(re.findall(r"\btocsin_[a-z_]+\b", rules))
    assert used
    assert {name for name in used if name not in known and suffix.sub("", name) not in known} == set()


def test_every_command_is_documented() -> None:
    told = pages.everything()
    known = [" ".join(path) for path in commands(tocsin)]
    assert known
    assert [name for name in known if not re.search(rf"tocsin {name}\b", told)] == []
