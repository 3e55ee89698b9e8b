"""Fault points kill the process that reaches them when told to, and are nothing otherwise."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.faults import Faults

REACHES = (
    "from ledger import faults\nfor n in range(5): faults.reach('deliver.claimed'); print(n, flush=True)"
)


def run(**environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", REACHES], env=environ, capture_output=True, text=True, check=False
    )


def test_without_being_told_nothing_happens() -> None:
    assert run().returncode == 0
    assert run(TOCSIN_FAULT="commit.before:1").returncode == 0


def test_the_process_dies_at_the_arrival_it_was_told() -> None:
    died = run(TOCSIN_FAULT="commit.before,deliver.claimed:3")
    assert died.returncode == -signal.SIGKILL
    assert died.stdout.split() == ["0", "1"]


def test_with_a_directory_it_happens_once_over_all_processes(tmp_path: Path) -> None:
    told = {"TOCSIN_FAULT": "deliver.claimed:2", "TOCSIN_FAULT_DIR": str(tmp_path)}
    assert [run(**told).returncode for _ in range(3)] == [-signal.SIGKILL, 0, 0]
    assert [file.name for file in tmp_path.iterdir()] == ["deliver.claimed"]


@pytest.mark.parametrize("told", ["deliver.claimed:x", "deliver.claimed:0", "a:-1"])
def test_nonsense_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match="TOCSIN_FAULT"):
        Faults({"TOCSIN_FAULT": told})
