"""Commands that are imported only when they run, and their help lines, which are read without importing."""

import ast
import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import click


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """Where a click command is: the object `attribute` of `module`."""

    module: str
    attribute: str

    @classmethod
    def parse(cls, target: str) -> "LazyCommand":
        """Read "package.module:attribute"."""
        module, _, attribute = target.partition(":")
        return cls(module, attribute)


def load(target: LazyCommand) -> click.Command:
    """Import it. Raises click.UsageError when it is not a command."""
    found = getattr(importlib.import_module(target.module), target.attribute, None)
    if not isinstance(found, click.Command):
        raise click.UsageError(f"{target.module}:{target.attribute} is not a command; reinstall tocsin")
    return found


def short_help(target: LazyCommand) -> str:
    """First sentence of the command's docstring, taken from its source text.

    Importing every command only to print one line of each would make `tocsin --help` ten times slower.
    """
    source = _source(target.module)
    for node in ast.parse(source).body if source else ():
        if isinstance(node, ast.FunctionDef) and node.name == target.attribute:
            return (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ").rstrip(".")
    return ""


def _source(module: str) -> str:
    # The parent package is imported by find_spec, the module itself is not.
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return ""
    return Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
