"""A child ends with its parent, however the parent ends, and is started again when it dies alone."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import small_policy
from stage import until

from workers.children import Spec
from workers.environment import Role
from workers.family import Family

NOBODY = Spec("quick", Role.UPKEEP, "workers.patience:no_such_function")

PARENT = """
import os, sys, time
reading, writing = os.pipe()
import subprocess
CHILD = "import os, time; from workers.child import end_with; end_with(int(os.environ['PIPE'])); time.sleep(60)"
child = subprocess.Popen(
    [sys.executable, "-c", CHILD],
    env={**os.environ, "PIPE": str(reading)}, pass_fds=(reading,), start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_the_child_of_a_parent_that_is_killed_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        until(lambda: not alive(child), 8)


def test_one_that_dies_is_told_and_started_again() -> None:
    said: list[str] = []
    dead: list[int] = []
    family = Family({}, lambda _, line: said.append(line), lambda _, pid: dead.append(pid), [NOBODY])

    def died_twice() -> bool:
        family.turn(small_policy.POLICY, 0.02)
        return len(dead) >= 2

    try:
        until(died_twice, 20, lambda: "\n".join(said))
    finally:
        family.stop(2)
    assert len(set(dead)) >= 2
    assert any("no_such_function" in line for line in said)
    assert any(line.startswith("ended (exit status 1)") for line in said)
