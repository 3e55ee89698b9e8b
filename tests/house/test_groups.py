"""Stories share what is expensive to start, so their modules are kept on one worker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from groups import group_of

ROOT = Path(__file__).parents[2]
MODULE = """import os
import pathlib

import pytest

pytestmark = [
    pytest.mark.xdist_group("{group}"),
]

@pytest.mark.parametrize("number", range(6))
def test_it(number):
    with pathlib.Path("{group}.txt").open("a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + chr(10))
"""


def test_all_tests_of_a_group_run_on_one_worker(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\naddopts = -p groups\npythonpath = {ROOT}/tests/support\n"
    )
    for name, group in (("one", "first"), ("two", "second"), ("three", "first")):
        (tmp_path / f"test_{name}.py").write_text(MODULE.format(group=group))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "xdist",
        "-n",
        "2",
        "--dist",
        "loadgroup",
        "-p",
        "no:cacheprovider",
    ]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # a new process
    done = subprocess.run(
        command, cwd=tmp_path, env=alone, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == pytest.ExitCode.OK, done.stdout
    ran = {group: (tmp_path / f"{group}.txt").read_text().split() for group in ("first", "second")}
    assert {group: (len(workers), len(set(workers))) for group, workers in ran.items()} == {
        "first": (12, 1),
        "second": (6, 1),
    }
    assert ran["first"][0] != ran["second"][0]


def test_every_group_is_named_where_it_is_found() -> None:
    """A mark of one test alone, or one that is put together, would group nothing."""
    named = {path for path in (ROOT / "tests").rglob("test_*.py") if "mark.xdist_group(" in path.read_text()}
    assert {path for path in named - {Path(__file__)} if not group_of(path)} == set()
