"""Pytest plugin: a module marked `xdist_group("name")` runs on one worker, with all others of that name.

pytest-xdist 3.8 puts the name into a private field of the test, which pytest 9.2 does not read any more: it groups
nothing, and says nothing (pytest-dev/pytest-xdist#1386). Then each worker starts every `tocsin up` of the stories anew.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

_NAMED = re.compile(r'^pytestmark = .*?xdist_group\("([\w-]+)"\)', re.MULTILINE | re.DOTALL)


@cache
def group_of(module: Path) -> str:
    """The group a module names for all of its tests; "" when it names none."""
    found = _NAMED.search(module.read_text()) if module.is_file() else None
    return found[1] if found else ""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where the option says so, one that keeps groups together, those of most tests first."""
    from xdist.scheduler import LoadScopeScheduling

    class Grouped(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
        def _split_scope(self, nodeid: str) -> str:
            return group_of(config.rootpath / nodeid.partition("::")[0]) or nodeid

    return Grouped(config, log) if config.getvalue("dist") == "loadgroup" else None
