"""Fault points kill the process that reaches them when told to, and are nothing otherwise."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.faults import Faults

REACHES = """
import sys
from ledger import faults
for n in range(5):
    faults.reach(*sys.argv[1:])
    print(n, flush=True)
"""


def run(*reached: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", REACHES, *(reached or ("deliver.claimed",))]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_without_being_told_nothing_happens() -> None:
    assert run().returncode == 0
    assert run(TOCSIN_FAULT="commit.before:1").returncode == 0


def test_the_process_dies_at_the_arrival_it_was_told() -> None:
    died = run(TOCSIN_FAULT="commit.before,deliver.claimed:3")
    assert died.returncode == -signal.SIGKILL
    assert died.stdout.split() == ["0", "1"]


def test_what_is_done_there_may_be_named(tmp_path: Path) -> None:
    told = {"TOCSIN_FAULT": "remediate.claimed@INC-1-r1.rollback"}
    assert run("remediate.claimed", "vercel.rollback", "INC-2-r1/rollback", **told).returncode == 0
    assert (
        run("remediate.claimed", "vercel.rollback", "INC-1-r1/rollback", **told).returncode == -signal.SIGKILL
    )


def test_with_a_directory_one_process_dies_for_each_file_of_the_points_name(tmp_path: Path) -> None:
    told = {"TOCSIN_FAULT": "deliver.claimed:2", "TOCSIN_FAULT_DIR": str(tmp_path)}
    assert run(**told).returncode == 0
    for taken in (1, 2):
        (tmp_path / "deliver.claimed").touch()
        assert [run(**told).returncode for _ in range(2)] == [-signal.SIGKILL, 0]
        assert [file.name.startswith("deliver.claimed.") for file in tmp_path.iterdir()] == [True] * taken


def test_a_point_can_be_named_together_with_what_is_done_there(tmp_path: Path) -> None:
    (tmp_path / "remediate.claimed@vercel.rollback").touch()
    told = {"TOCSIN_FAULT": "remediate.claimed@vercel.rollback", "TOCSIN_FAULT_DIR": str(tmp_path)}
    assert run("remediate.claimed", "http.probe", **told).returncode == 0
    assert run("remediate.claimed", "vercel.rollback", **told).returncode == -signal.SIGKILL


@pytest.mark.parametrize("told", ["deliver.claimed:x", "deliver.claimed:0", "a:-1"])
def test_nonsense_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match="TOCSIN_FAULT"):
        Faults({"TOCSIN_FAULT": told})
