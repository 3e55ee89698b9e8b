"""The guard against unlisted skips, run as pytest runs it: on a small suite of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from skips import LIST, read_allowed

ROOT = Path(__file__).parents[2]
SKIPPED = "import pytest\n\n@pytest.mark.skip(reason='no tool')\ndef test_one():\n    pass\n"


def run_suite(folder: Path, allowed: str) -> "subprocess.CompletedProcess[str]":
    """Run a suite of one skipped test with the plug-in and this list of allowed skips."""
    support = folder / "tests" / "support"
    support.mkdir(parents=True)
    (support / "skips.py").write_text((ROOT / "tests/support/skips.py").read_text())
    (folder / "tests/allowed_skips.txt").write_text(allowed)
    (folder / "tests/test_it.py").write_text(SKIPPED)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p skips\npythonpath = tests/support\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests"]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # a new process
    return subprocess.run(
        command, cwd=folder, env=alone, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_skip_nobody_listed_fails_the_run(tmp_path: Path) -> None:
    result = run_suite(tmp_path, "")
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert "tests/test_it.py::test_one: not in tests/allowed_skips.txt" in result.stdout


def test_a_listed_skip_passes(tmp_path: Path) -> None:
    result = run_suite(tmp_path, "tests/test_it.py::* the tool is missing here\n")
    assert result.returncode == pytest.ExitCode.OK, result.stdout


def test_a_line_without_a_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="gives no reason"):
        read_allowed("tests/x.py::*\n")


def test_every_allowed_skip_still_names_tests_that_exist() -> None:
    for entry in read_allowed(LIST.read_text()):
        files = entry.pattern.partition("::")[0]
        assert list(ROOT.glob(files)), f"{entry.pattern} matches no file any more; remove the line"


def test_no_more_than_five_skips_are_allowed() -> None:
    """What nobody runs is not tested: whoever wants a sixth finds another way, or takes one out."""
    assert len(read_allowed(LIST.read_text())) <= 5
