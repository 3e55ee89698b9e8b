"""The check of what must not be committed, on planted faults and on this checkout."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = ROOT / "tests/house/committed.py"

PLANTED = {
    "machine path": ("a.py", 'DATA = "/ro' + 'ot/data/x"\n', "a path of one machine"),
    "registry host": ("docs.md", "see py" + "pi.org\n", "a package registry's host"),
    "index in a lock": ("requirements.lock", "--index-url x\n", "an index or file address"),
    "file address in a lock": ("requirements.lock", "a @ file:///x\n", "an index or file address"),
    "live key": ("b.py", "K = 'sk_li" + "ve_0123456789'\n", "what looks like a live secret"),
}


def run_check(root: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(CHECK), str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found_with_its_line(tmp_path: Path, fault: str) -> None:
    name, text, what = PLANTED[fault]
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / name).write_text("fine\n" + text)
    result = run_check(tmp_path)
    assert result.returncode == 1
    assert f"{name}:2: {what}" in result.stdout


def test_this_checkout_is_clean() -> None:
    result = run_check(ROOT)
    assert result.returncode == 0, result.stdout
